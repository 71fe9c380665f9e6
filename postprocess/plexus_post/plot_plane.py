"""Pictures of fields on plane meshes: filled contours, outline, deformed shape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.cells import Kind, lattice, outer_facets
from plexus_post.style import LINE, Colours, colour_bar, headline, pyplot, save
from plexus_post.units import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from plexus_post.plot import View

SIDE = 6.5
"""Longer side of the drawn mesh, in inches."""
FINE = 120_000
"""Up to this many triangles, quadratic cells are divided so that curves look curved."""


def draw(view: View, path: Path) -> Path:
    """Write the picture of a view and return its path."""
    plt = pyplot()
    width, height = np.ptp(view.moved[:, :2], axis=0)
    longer = max(width, height)
    size = (max(SIDE * width / longer, 2.2), max(SIDE * height / longer, 1.1))
    figure, axes = plt.subplots(figsize=(size[0] + 1.6, size[1] + 1.0))
    panel(axes, view)
    return save(figure, path)


def panel(axes: Axes, view: View) -> None:
    """Draw a view with its colour bar into existing axes."""
    shape = view.moved
    colours = Colours.of(view.values, view.unit)
    fill = _fill(axes, view, shape, colours)
    if view.mesh:
        _lines(axes, view, shape, every=True, color=LINE, linewidth=0.25, alpha=0.6)
    if view.shift is not None:
        _lines(axes, view, view.points, every=False, color="#888888", linewidth=0.7, linestyle=(0, (4, 3)))
    _lines(axes, view, shape, every=False, color=LINE, linewidth=0.9)
    _frame(axes, view)
    width, height = np.ptp(shape[:, :2], axis=0)
    colour_bar(axes, fill, view, colours, horizontal=width > 1.8 * height)


def _fill(axes: Axes, view: View, shape: np.ndarray, colours: Colours) -> Any:
    """Draw filled contours of point values, or one colour per cell for cell values."""
    from matplotlib.tri import Triangulation

    fill: Any = None
    divide = 4 if view.grid.n_cells < FINE // 16 else 2
    for kind, cells, index in view.grid.blocks:
        reference, parts = lattice(kind, 1 if kind.name == kind.base == "triangle" else divide)
        weights = kind.shape(reference)[0]
        x, y = (np.einsum("ln,cn->cl", weights, shape[cells][..., i]).ravel() for i in (0, 1))
        corners = (np.arange(len(cells))[:, None, None] * len(reference) + parts).reshape(-1, 3)
        mesh = Triangulation(x, y, corners)
        if view.location == "point":
            values = np.einsum("ln,cn->cl", weights, view.values[cells]).ravel()
            fill = axes.tricontourf(mesh, values, colours.levels, cmap=colours.map, extend=colours.extend)
            axes.tricontour(mesh, values, colours.levels, colors="k", linewidths=0.25, alpha=0.35)
        else:
            colour = np.repeat(view.values[index], len(parts))
            fill = axes.tripcolor(mesh, facecolors=colour, cmap=colours.map, norm=colours.norm)
    return fill


def _lines(axes: Axes, view: View, shape: np.ndarray, every: bool, **how: Any) -> None:
    """Draw the outline, or all edges; edges of quadratic cells are parabolas."""
    from matplotlib.collections import LineCollection

    for kind, cells, _ in view.grid.blocks:
        facets = cells[:, kind.facets].reshape(-1, kind.facets.shape[1])
        edges = facets if every else outer_facets(kind, cells)[0]
        lines = np.einsum("sn,enc->esc", _edge_shape(kind), shape[edges][..., :2])
        axes.add_collection(LineCollection(list(lines), capstyle="round", **how))


def _edge_shape(kind: Kind) -> np.ndarray:
    """Return Lagrange functions (S, nodes of an edge) along an edge, nodes at 0, 1 and, if quadratic, 1/2."""
    if kind.facets.shape[1] == 2:
        return np.eye(2)
    s = np.linspace(0, 1, 7)
    return np.stack([(1 - s) * (1 - 2 * s), s * (2 * s - 1), 4 * s * (1 - s)], axis=1)


def extent(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper limits (2,) that show the mesh, displaced or not, with a margin."""
    both = np.concatenate([view.points[:, :2], view.moved[:, :2]])
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.03 * (high - low).max()
    return low - margin, high + margin


def _frame(axes: Axes, view: View) -> None:
    """Set equal scales, labels and the title with its second line."""
    axes.set_aspect("equal")
    axes.grid(False)
    low, high = extent(view)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.locator_params(nbins=6)
    axes.set_xlabel(label("x", view.length))
    axes.set_ylabel(label("y", view.length))
    headline(axes, view)
