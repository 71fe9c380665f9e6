"""The points of a cubature where they lie in the mesh, as large as their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.shapes.plane import edges
from plexus_post.pictures.shapes.solid import VIEW, bends
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.reduced.model import Model
from plexus_post.units import label

LARGEST = 160.0
"""Area of the mark of the largest weight [square points]."""


def draw(model: Model, scene: Scene, path: Path) -> Path:
    """Draw the outline of the mesh and the points in it; return the path."""
    factor, unit = scene.length
    dim = scene.grid.dim
    wide, high = np.ptp(scene.grid.points[:, :2], axis=0)
    height = np.clip(2.0 + 6.0 * high / max(wide, 1e-300), 3.0, 6.0) if dim < 3 else 6.0
    figure = pyplot().figure(figsize=(7.0, height))
    axes = figure.add_subplot(projection="3d" if dim == 3 else None)
    places = np.zeros((len(model.places), max(dim, 2)))
    places[:, : model.places.shape[1]] = model.places * factor
    weighed = model.weights > 0
    areas = LARGEST * model.weights[weighed] / model.weights.max()
    _outline(axes, scene, factor)
    axes.scatter(*places[weighed].T, s=areas, color="C0", alpha=0.75, linewidths=0,
                 label=f"{weighed.sum()} points, area as their weight")  # fmt: skip
    if not weighed.all():
        axes.scatter(*places[~weighed].T, s=14, color="C1", marker="x",
                     label=f"{(~weighed).sum()} for reconstructions")  # fmt: skip
    for axis in "xyz"[: max(dim, 2)]:
        getattr(axes, f"set_{axis}label")(label(axis, unit))
    axes.set_title(f"{scene.run.title}\n{len(model.places)} of {model.total:,} points", loc="left")
    figure.legend(loc="lower left", ncols=2, fontsize=8.5)
    return save(figure, path)


def _outline(axes: Any, scene: Scene, factor: float) -> None:
    """Draw the edges of the body."""
    if scene.grid.dim == 3:
        from mpl_toolkits.mplot3d.art3d import Line3DCollection

        lines = bends(scene.grid) * factor
        axes.add_collection3d(Line3DCollection(list(lines), colors=LINE, linewidths=0.8))
        low, high = (scene.grid.points * factor).min(axis=0), (scene.grid.points * factor).max(axis=0)
        for axis, a, b in zip("xyz", low, high, strict=True):
            getattr(axes, f"set_{axis}lim")(a, b)
            # short numbers: those of two axes meet at a corner
            getattr(axes, f"{axis}axis").set_major_formatter("{x:g}")
        axes.set_box_aspect(np.maximum(high - low, 1e-3 * (high - low).max()))
        axes.view_init(*VIEW)
        axes.locator_params(nbins=4)
        return
    from matplotlib.collections import LineCollection

    plane = scene.grid.dim == 2
    for lines in edges(scene.grid, scene.grid.points * factor) if plane else [_ends(scene, factor)]:
        axes.add_collection(LineCollection(list(lines), colors=LINE, linewidths=0.9))
    axes.autoscale_view()
    axes.grid(False)
    if plane:
        axes.set_aspect("equal")


def _ends(scene: Scene, factor: float) -> np.ndarray:
    """Return the cells of a mesh of lines as lines (C, 2, 2)."""
    return np.concatenate([scene.grid.points[cells[:, :2], :2] for _, cells, _ in scene.grid.blocks]) * factor
