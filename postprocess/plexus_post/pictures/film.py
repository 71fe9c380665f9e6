"""Films of one field of a run: the same colours, limits and exaggeration at all moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.pictures.deformation import DISPLACEMENT, deformed
from plexus_post.pictures.scenes import Scene, views
from plexus_post.pictures.shapes import line, plane
from plexus_post.pictures.style import LINE, pyplot
from plexus_post.pictures.view import View
from plexus_post.readers.run import Run
from plexus_post.units import label, scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

DPI = 100
"""Pixels per inch of a film."""
COLOURS = 40
"""Colours of a film; few colours and no dithering keep it small."""


class FieldFilm:
    """The film of one field of one run on a line or a plane mesh.

    Parameters
    ----------
    run, field
        What is shown: a scalar, a vector, or a component of a tensor.
    times
        The moments; each shows the nearest step.
    width
        Pixels.
    warp
        Exaggeration of the displacement; one factor is chosen for the displacement's own film when None.

    Raises
    ------
    PostError
        If the field cannot be drawn as one picture, or the mesh is solid.
    """

    def __init__(self, run: Run, field: str, times: np.ndarray, width: int, warp: float | None = None):
        self.width = width / DPI
        steps = [run.step(time=float(t)) for t in times]
        if run.mesh(steps[0]).dim > 2:
            raise PostError(f"{run.name}: films show lines and plane meshes; draw a solid with `plot --time`")
        if warp is None and field == DISPLACEMENT:
            warp = _factor(run, steps)
        made = [list(views(Scene(run, step, warp), [field])) for step in steps]
        if any(len(each) != 1 for each in made):
            raise PostError(f"{run.name}: a film shows one picture; of {field!r} name a component")
        self.views = _alike([each[0] for each in made])
        ends = [plane.extent(v) for v in self.views]
        self.low = np.min([low for low, _ in ends], axis=0)
        self.high = np.max([high for _, high in ends], axis=0)

    def frames(self) -> Iterator[Image]:
        """Yield the pictures of all moments."""
        draw = self._line if self.views[0].grid.dim == 1 else self._plane
        return (painted(draw(view)) for view in self.views)

    def write_gif(self, path: Path, fps: float) -> Path:
        """Write the film as an animated GIF that repeats; return the path.

        Raises
        ------
        PostError
            If it cannot be written.
        """
        return write_gif(self.frames(), path, fps, ["white", LINE])

    def _plane(self, view: View) -> Figure:
        """Return the figure of a moment on a plane mesh; every place is fixed."""
        wide, high = self.high - self.low
        # inches for labels and for the colour bar, which stands below wide meshes and beside others
        left, foot, head, bar = 0.65, 0.65, 0.7, 0.75
        flat = wide > 1.8 * high
        across = self.width - left - (0.25 if flat else 1.3)
        up = min(across * high / wide, 1.2 * self.width) + (bar if flat else 0.0)
        size = (self.width, up + foot + head)
        figure: Figure = pyplot().figure(figsize=size, dpi=DPI)
        axes = figure.add_axes((left / size[0], foot / size[1], across / size[0], up / size[1]))
        plane.panel(axes, view)
        axes.set_xlim(self.low[0], self.high[0])
        axes.set_ylim(self.low[1], self.high[1])
        return figure

    def _line(self, view: View) -> Figure:
        """Return the figure of a moment on a line; the axis is that of all moments."""
        figure: Figure = pyplot().figure(figsize=(self.width, 0.62 * self.width), dpi=DPI)
        axes = figure.add_axes((0.13, 0.14, 0.83, 0.68))
        line.panel(axes, [view])
        values = np.concatenate([v.components.ravel() for v in self.views])
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlabel(label("x", view.length))
        return figure


def _factor(run: Run, steps: Sequence[int]) -> float:
    """Return one exaggeration of the displacement for all steps: that which suits the largest one."""
    largest = max(
        steps, key=lambda s: float(np.nan_to_num(np.abs(run.field(DISPLACEMENT, s))).max(initial=0.0))
    )
    _, note = deformed(run, run.mesh(largest), largest, None)
    return float(note.rpartition(" ")[2]) if note else 0.0


def _alike(moments: Sequence[View]) -> list[View]:
    """Return views in one unit, with the colours that serve all of them."""
    unit = moments[0].run_unit
    every = np.concatenate([v.values / v.size if v.values.dtype.kind == "f" else v.values for v in moments])
    size, symbol = scale(unit, every)
    made = []
    for v in moments:
        whole = v.values.dtype.kind != "f"
        factor = 1.0 if whole else size / v.size
        values = v.values if whole else v.values * factor
        components = v.components if whole else v.components * factor
        made.append(replace(v, values=values, components=components, size=size, unit=symbol))
    shown = np.concatenate([v.values for v in made])
    return [replace(v, palette=shown, peak="") for v in made]


def painted(figure: Figure) -> Image:
    """Return a figure as a picture, and close it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    pyplot().close(figure)
    return picture


def write_gif(frames: Iterable[Image], path: Path, fps: float, keep: Sequence[str]) -> Path:
    """Write pictures as an animated GIF that repeats; return the path. Colours to ``keep`` stay as they are.

    Raises
    ------
    PostError
        If it cannot be written.
    """
    from PIL.Image import Dither

    every = list(frames)
    few = palette(every, keep)
    # one palette and no dithering: what stands still stays the same, and the film small
    reduced = [f.quantize(palette=few, dither=Dither.NONE) for f in every]
    how: dict[str, Any] = {"save_all": True, "append_images": reduced[1:], "loop": 0, "optimize": True}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        reduced[0].save(path, duration=round(1000 / fps), **how)
    except OSError as error:
        raise PostError(f"{path}: {error.strerror or error}") from None
    return path


def write_pictures(frames: Iterable[Image], folder: Path) -> Path:
    """Write numbered PNG pictures, of which other programs make films; return the folder.

    Raises
    ------
    PostError
        If they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for i, frame in enumerate(frames):
            frame.save(folder / f"frame_{i:04d}.png")
    except OSError as error:
        raise PostError(f"{folder}: {error.strerror or error}") from None
    return folder


def palette(frames: Sequence[Image], keep: Sequence[str]) -> Image:
    """Return a picture with the palette that all frames share; one for each would flicker.

    The colours to ``keep`` are in it as they are: thin lines and rare bands would lose theirs.
    """
    from matplotlib.colors import to_rgb
    from PIL import Image

    some = frames[:: max(1, len(frames) // 6)]
    width, height = some[0].size
    sheet = Image.new("RGB", (width, height * len(some)))
    for i, frame in enumerate(some):
        sheet.paste(frame, (0, i * height))
    rest = max(COLOURS - len(keep), 8)
    found = sheet.quantize(rest, dither=Image.Dither.NONE).getpalette() or []
    few = Image.new("P", (1, 1))
    few.putpalette([round(255 * v) for colour in keep for v in to_rgb(colour)] + found[: 3 * rest])
    return few
