"""Pictures of fitted fields on plane and solid meshes: values, deviations, what the data have seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.shapes import of_dimension, plane
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.pictures.view import View
from plexus_post.readers.calibration import Control, Readings
from plexus_post.readers.grid import Grid, match
from plexus_post.readers.run import Run
from plexus_post.units import label, scale, short, words

NEAR = 1e-6
"""Distance of a place from its point of the mesh, relative to the size of the mesh."""

MAP = 3.4
"""Longer side of a map, in inches."""
WIDE = 1.8
"""From this ratio of its sides on maps stand one above the other."""


@dataclass(frozen=True)
class Part:
    """One map of a field: ``end`` of its file's name, title, what the values are, values (n,) in a unit."""

    end: str
    about: str
    what: str
    unit: str
    values: np.ndarray


def field(
    run: Run, control: Control, places: np.ndarray, readings: Sequence[Readings], path: Path
) -> list[Path]:
    """Draw a field whose numbers stand at places (n, d); return the files.

    Without field file of the run there is no mesh: then the places themselves are drawn.
    """
    three = np.hstack([places, np.zeros((len(places), 3 - places.shape[1]))])
    if len(run.times):
        scene = Scene(run, len(run.times) - 1)
        where = _centres(scene.grid) if control.location == "cell" else scene.grid.points
        which = match(where, three, NEAR * float(scene.grid.size.max()))
        if (which >= 0).all():
            parts, marks = list(_parts(control)), np.concatenate([r.places for r in readings])
            views = [_view(scene, control, part, which) for part in parts]
            return _maps(scene, parts, views, np.unique(marks, axis=0), path)
    return [_dots(control, three, path)]


def _parts(control: Control) -> Iterator[Part]:
    """Yield what is known of a field: values, deviations, the share that the data have seen."""
    one, name = control.numbers, words(control.name)
    yield Part("", f"Fitted {name}", name, control.unit, one.values)
    if one.std is not None and np.isfinite(one.std).all():
        yield Part("_std", f"Standard deviation of {name}", "deviation", control.unit, one.std)
    if control.seen is not None:
        yield Part("_seen", f"What the data have seen of {name}", "share of the variance", "1", control.seen)


def _centres(grid: Grid) -> np.ndarray:
    """Return the middle of each cell (C, 3), in the order of cell data."""
    found = np.zeros((grid.n_cells, 3))
    for name, cells in grid.cells.items():
        found[grid.index[name]] = grid.points[cells].mean(axis=1)
    return found


def _view(scene: Scene, control: Control, part: Part, which: np.ndarray) -> View:
    size, unit = scale(part.unit, part.values)
    values, (factor, length) = part.values[which] * size, scene.length
    location = "cell" if control.location == "cell" else "point"
    return View(part.what, scene.run.title, part.about, scene.grid, values, values[:, None], location, unit,
                size, factor, length)  # fmt: skip


def _maps(
    scene: Scene, parts: Sequence[Part], views: list[View], marks: np.ndarray, path: Path
) -> list[Path]:
    """Draw the maps: side by side on a plane, with the places of the readings, else one by one."""
    if scene.grid.dim != 2:
        draw, names = of_dimension(scene.grid.dim).draw, [f"{path.stem}{part.end}.png" for part in parts]
        return [draw([view], path.with_name(name)) for view, name in zip(views, names, strict=True)]
    width, height = scene.grid.size[:2] / scene.grid.size.max()
    wide = width > WIDE * height
    size = (MAP * max(width, 0.4), MAP * max(height, 0.25) + (1.7 if wide else 0.9))
    shape = (len(views), 1) if wide else (1, len(views))
    size = (size[0] + 1.2, len(views) * size[1]) if wide else (len(views) * (size[0] + 1.3), size[1])
    figure, panels = pyplot().subplots(*shape, figsize=size, squeeze=False)
    for axes, view in zip(panels.flat, views, strict=True):
        plane.panel(axes, replace(view, title=""))
        axes.plot(*(marks[:, :2] * view.factor).T, "o", ms=4, mfc="white", mec=LINE, mew=0.8)
    figure.tight_layout(w_pad=1.2)
    return [save(figure, path)]


def _dots(control: Control, places: np.ndarray, path: Path) -> Path:
    """Draw the numbers as dots at their places, seen from above."""
    figure, axes = pyplot().subplots(figsize=(7.0, 5.6), layout="constrained")
    drawn = axes.scatter(*places[:, :2].T, c=control.numbers.values, s=14)
    figure.colorbar(drawn, label=label(control.name, short(control.unit)))
    axes.set_aspect("equal")
    axes.set_xlabel("x [m]")
    axes.set_ylabel("y [m]")
    axes.set_title(f"Fitted {words(control.name)}")
    return save(figure, path)
