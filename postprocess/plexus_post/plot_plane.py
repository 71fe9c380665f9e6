"""Pictures of fields on plane meshes: filled contours, outline, deformed shape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.cells import boundary, triangles
from plexus_post.style import LINE, Colours, pyplot, save
from plexus_post.units import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from plexus_post.plot import View

SIDE = 6.5
"""Longer side of the drawn mesh, in inches."""


def draw(view: View, path: Path) -> Path:
    """Write the picture of a view and return its path."""
    plt = pyplot()
    shape = view.moved
    width, height = np.ptp(shape[:, :2], axis=0)
    longer = max(width, height)
    size = (max(SIDE * width / longer, 2.2), max(SIDE * height / longer, 1.1))
    figure, axes = plt.subplots(figsize=(size[0] + 1.6, size[1] + 1.0))
    colours = Colours.of(view.values, view.unit)
    fill = _fill(axes, view, shape, colours)
    if view.mesh:
        _lines(axes, view, shape, every=True, color=LINE, linewidth=0.25, alpha=0.6)
    if view.shift is not None:
        _lines(axes, view, view.points, every=False, color="#888888", linewidth=0.7, linestyle=(0, (4, 3)))
    _lines(axes, view, shape, every=False, color=LINE, linewidth=0.9)
    _frame(axes, view)
    colour_bar(figure, axes, fill, view, colours, horizontal=width > 1.8 * height)
    return save(figure, path)


def _fill(axes: Axes, view: View, shape: np.ndarray, colours: Colours) -> Any:
    """Draw filled contours of point values, or flat triangles of cell values."""
    from matplotlib.colors import BoundaryNorm

    blocks = view.grid.blocks
    corners = np.concatenate([triangles(c) for _, c, _ in blocks])
    x, y = shape[:, 0], shape[:, 1]
    if len(view.values) == len(shape):
        axes.tricontour(x, y, corners, view.values, levels=colours.levels, colors="k", linewidths=0.25, alpha=0.35)
        return axes.tricontourf(
            x, y, corners, view.values, levels=colours.levels, cmap=colours.map, extend=colours.extend
        )
    cell = np.concatenate([np.repeat(i, len(triangles(c)) // len(c)) for _, c, i in blocks])
    norm = BoundaryNorm(colours.levels, 256, extend=colours.extend)
    return axes.tripcolor(x, y, corners, facecolors=view.values[cell], cmap=colours.map, norm=norm)


def _lines(axes: Axes, view: View, shape: np.ndarray, every: bool, **how: Any) -> None:
    """Draw the outline, or all edges, as poly-lines through the mid nodes of quadratic cells."""
    from matplotlib.collections import LineCollection

    for kind, cells, _ in view.grid.blocks:
        edges = cells[:, kind.facets].reshape(-1, kind.facets.shape[1]) if every else boundary(kind, cells)
        order = [0, 2, 1] if edges.shape[1] == 3 else [0, 1]
        axes.add_collection(LineCollection(list(shape[edges[:, order], :2]), capstyle="round", **how))


def _frame(axes: Axes, view: View) -> None:
    """Set equal scales, labels and the title with its second line."""
    axes.set_aspect("equal")
    axes.grid(False)
    axes.autoscale_view()
    axes.margins(0.03)
    axes.locator_params(nbins=6)
    axes.set_xlabel(label("x", view.length))
    axes.set_ylabel(label("y", view.length))
    headline(axes, view)


def headline(axes: Axes, view: View) -> None:
    """Write the field's name, below it the run's title, and the note."""
    below = " · ".join(t for t in (view.title, view.note) if t)
    axes.set_title(view.name.replace("_", " ").capitalize() if view.name.islower() else view.name, pad=20)
    axes.annotate(
        below, (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points", fontsize=8.5, color="#555555"
    )


def colour_bar(figure: Any, axes: Axes, fill: Any, view: View, colours: Colours, horizontal: bool) -> None:
    """Add the colour bar with its unit and, at its end, the smallest and largest value."""
    how = {"orientation": "horizontal", "fraction": 0.05, "pad": 0.17, "aspect": 45, "shrink": 0.9} if horizontal else {}
    bar = figure.colorbar(fill, ax=axes, **({"fraction": 0.046, "pad": 0.03} | how))
    bar.set_ticks(colours.levels[:: max(1, len(colours.levels) // 8)])
    bar.outline.set_linewidth(0.5)
    low, high = np.nanmin(view.values), np.nanmax(view.values)
    bar.set_label(f"{view.label}\nfrom {low:.5g} to {high:.5g}", fontsize=9)
