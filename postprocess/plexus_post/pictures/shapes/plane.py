"""Pictures of fields on plane meshes: filled contours, outline, deformed shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.pictures.colours import Colours, colour_bar, headline
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.pictures.view import Shape, View
from plexus_post.readers.cells import Kind, lattice, outer_facets
from plexus_post.readers.grid import Grid
from plexus_post.readers.locate import Locator
from plexus_post.units import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE = 6.5
"""Longer side of the drawn mesh, in inches."""
ARROWS = 36
"""Arrows along the longer side."""
FINE = 120_000
"""Up to this many triangles, quadratic cells are divided so that curves look curved."""


def draw(views: Sequence[View], path: Path) -> Path:
    """Write the picture of a view and return its path."""
    (view,) = views
    figure = pyplot().figure(figsize=size(view))
    place(figure, view)
    return save(figure, path)


def place(figure: Any, view: View) -> None:
    """Draw a view with its colour bar into a figure."""
    panel(figure.subplots(), view)


def size(view: View) -> tuple[float, float]:
    """Return width and height of a figure for a view, in inches."""
    width, height = _size(view)
    return width + 1.6, height + 1.6


def overview(fields: Sequence[Sequence[View]], path: Path) -> Path:
    """Write all fields as panels of one picture and return its path."""
    views = [view for (view,) in fields]
    width, height = _size(views[0])
    columns = 2 if len(views) < 5 or width > 1.8 * height else 3
    rows = -(-len(views) // columns)
    # room for labels, titles and the colour bar, in inches
    beside, below = (0.7, 2.1) if width > 1.8 * height else (1.6, 0.9)
    size = (columns * (width + beside), rows * (height + below) + 0.5)
    figure, panels = pyplot().subplots(rows, columns, figsize=size, squeeze=False)
    for axes in panels.flat[len(views) :]:
        axes.set_axis_off()
    for axes, view in zip(panels.flat, views, strict=False):
        panel(axes, replace(view, title=""))
    figure.suptitle(views[0].title, x=0.02, ha="left", fontsize=14, fontweight="bold")
    figure.tight_layout(w_pad=1.5, h_pad=1.5, rect=(0, 0, 1, 0.99))
    return save(figure, path)


def _size(view: View) -> tuple[float, float]:
    """Return width and height of the drawn mesh in inches."""
    width, height = np.ptp(view.moved[:, :2], axis=0)
    longer = max(width, height)
    return max(SIDE * width / longer, 2.2), max(SIDE * height / longer, 1.1)


def panel(axes: Axes, view: View) -> None:
    """Draw a view with its colour bar into existing axes."""
    shape = view.moved
    colours = Colours.of(view.coloured, view.unit)
    if view.map:
        colours = replace(colours, map=view.map)
    fill = _fill(axes, view, shape, colours)
    if view.mesh:
        _lines(axes, view, shape, every=True, color=LINE, linewidth=0.25, alpha=0.6)
    if view.shift is not None:
        _lines(axes, view, view.points, every=False, color="#999999", linewidth=0.7)
    if view.arrows is not None:
        _arrows(axes, view)
    _lines(axes, view, shape, every=False, color=LINE, linewidth=0.9)
    _frame(axes, view)
    width, height = _size(view)
    colour_bar(axes, fill, view, colours, horizontal=width > 1.8 * height)


def _arrows(axes: Axes, view: View) -> None:
    """Draw the direction of a vector field on a regular lattice of points inside the mesh."""
    assert view.arrows is not None
    low, high = view.grid.points.min(axis=0)[:2], view.grid.points.max(axis=0)[:2]
    gap = (high - low).max() / ARROWS
    rows = np.maximum(np.round((high - low) / gap), 1).astype(int)
    x, y = ((a + b) / 2 + gap * (np.arange(n) - (n - 1) / 2) for a, b, n in zip(low, high, rows, strict=True))
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    vector = Locator(view.grid, places).sample(view.arrows)[:, :2]
    if view.fold > 1:
        angle = np.arctan2(vector[:, 1], vector[:, 0]) / view.fold
        vector = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    unit = vector / np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-300)
    # an arrow is drawn where both its ends lie in the mesh
    tips = [Locator(view.grid, places + side * 0.4 * gap * unit).found for side in (-1, 1)]
    whole = np.isfinite(vector).all(axis=1) & tips[0] & tips[1]
    place, unit = Locator(view.grid, places[whole]).sample(view.moved)[:, :2], unit[whole]
    shape: dict[str, Any] = {"width": 0.0022, "headwidth": 4, "headlength": 4.5, "headaxislength": 4}
    place_on: dict[str, Any] = {"pivot": "mid", "angles": "xy", "scale_units": "xy"}
    place_on["scale"] = 1 / (0.75 * gap * view.factor)
    if view.fold > 1:
        heads: dict[str, Any] = dict.fromkeys(("headwidth", "headlength", "headaxislength"), 0)
        axes.quiver(*place.T, *unit.T, width=0.002, color=LINE, **heads, **place_on)
        return
    axes.quiver(*place.T, *unit.T, **shape, **place_on, color="#ffffff", edgecolor=LINE, linewidth=0.3)


def _fill(axes: Axes, view: View, shape: np.ndarray, colours: Colours) -> Any:
    """Draw filled contours of point values, or one colour per cell for cell values."""
    from matplotlib.tri import Triangulation

    fill: Any = None
    # linear triangles are exact as they are
    divide = 4 if view.grid.n_cells < FINE // 16 else 2
    for kind, cells, index in view.grid.blocks:
        reference, parts = lattice(kind, 1 if kind.name == kind.base == "triangle" else divide)
        # x = sum_i N_i x_i and u = sum_i N_i u_i at every point of the lattice
        weights = kind.shape(reference)[0]
        x, y = (np.einsum("ln,cn->cl", weights, shape[cells][..., i]).ravel() for i in (0, 1))
        corners = (np.arange(len(cells))[:, None, None] * len(reference) + parts).reshape(-1, 3)
        mesh = Triangulation(x, y, corners)
        if view.location == "point":
            values = np.einsum("ln,cn->cl", weights, view.values[cells]).ravel()
            fill = axes.tricontourf(mesh, values, colours.levels, cmap=colours.map, extend=colours.extend)
            axes.tricontour(mesh, values, colours.levels, colors=colours.lines, linewidths=0.3, alpha=0.4)
        else:
            colour = np.repeat(view.values[index], len(parts))
            fill = axes.tripcolor(mesh, facecolors=colour, cmap=colours.map, norm=colours.norm)
    return fill


def _lines(axes: Axes, view: View, shape: np.ndarray, every: bool, **how: Any) -> None:
    """Draw the outline, or all edges; edges of quadratic cells are parabolas."""
    from matplotlib.collections import LineCollection

    for lines in edges(view.grid, shape, every):
        axes.add_collection(LineCollection(list(lines), capstyle="round", **how))


def edges(grid: Grid, points: np.ndarray, every: bool = False) -> Iterator[np.ndarray]:
    """Yield the outer edges, or all, of each shape of cells as lines (E, S, 2) through points (P, 2 or 3)."""
    for kind, cells, _ in grid.blocks:
        facets = cells[:, kind.facets].reshape(-1, kind.facets.shape[1])
        chosen = facets if every else outer_facets(kind, cells)[0]
        yield np.einsum("sn,enc->esc", _edge_shape(kind), points[chosen][..., :2])


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
    # contours set tight limits that would cut the outline in half
    low, high = extent(view)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    # a label needs a third of an inch of height
    axes.locator_params(axis="x", nbins=6)
    axes.locator_params(axis="y", nbins=min(6, max(1, int(3 * _size(view)[1]))))
    axes.set_xlabel(label("x", view.length))
    axes.set_ylabel(label("y", view.length))
    headline(axes, view)


SHAPE = Shape(draw, place, size, overview)
