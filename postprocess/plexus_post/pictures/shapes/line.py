"""Pictures of fields on meshes of lines: values over x, one line per moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.pictures.colours import headline
from plexus_post.pictures.panels import level, panels, shade
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.pictures.view import Shape, View
from plexus_post.readers.cells import Kind
from plexus_post.units import label, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOMENTS = 5
"""Lines of one field in a picture."""
PARTS = 16
"""Straight pieces of a parabola."""
DASHES = {"x": "-", "y": "--", "z": ":"}
"""Components of a vector and their lines."""
FLAT = 1e-6
"""Relative range below which a field counts as constant."""
NOISE = 1e-11
"""A component this much smaller than another one is rounding."""
GAP = 1e-6
"""Distance of two cells, relative to the mesh, across which no line is drawn."""
ROWS = 24
"""Most lines beside each other that are drawn."""
MANY = 4
"""More panels than this stand in two columns."""


def draw(views: Sequence[View], path: Path) -> Path:
    """Write the picture of a field and return its path."""
    figure = pyplot().figure(figsize=size(views[-1]), layout="constrained")
    _draw(figure, views)
    return save(figure, path)


def place(figure: Any, view: View) -> None:
    """Draw one moment into a figure."""
    _draw(figure, [view])


def size(view: View) -> tuple[float, float]:
    """Return width and height of a figure in inches, whatever the view."""
    return 7.0, 4.4


def _draw(figure: Any, views: Sequence[View]) -> None:
    axes = figure.subplots()
    panel(axes, views)
    axes.set_xlabel(label("x", views[-1].length))


def overview(fields: Sequence[Sequence[View]], path: Path) -> Path:
    """Write all fields as panels over one axis and return the path."""
    columns = 1 if len(fields) <= MANY else 2
    figure, every = panels(len(fields), columns)
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 2.9 * -(-len(fields) // columns))
    for axes, views in zip(every, fields, strict=True):
        panel(axes, [replace(v, title="") for v in views])
    for axes in every[-columns:]:
        axes.set_xlabel(label("x", fields[0][-1].length))
        axes.tick_params(labelbottom=True)
    figure.suptitle(fields[0][-1].title, x=0.02, ha="left", fontsize=14, fontweight="bold")
    return save(figure, path)


def panel(axes: Axes, views: Sequence[View]) -> None:
    """Draw a field's moments into existing axes."""
    every = _levels(views[-1])
    heights = every[np.unique(np.linspace(0, len(every) - 1, ROWS).round().astype(int))]
    # of lines beside each other, e.g. the members of an ensemble, the last moment alone can be told apart
    moments = _changing(views) if len(heights) == 1 else views[-1:]
    # all moments in the unit of the one with the largest values
    top = max(views, key=lambda v: float(np.nanmax(np.abs(v.values), initial=0.0)) / v.size)
    drawn = _components(views)
    for i, view in enumerate(moments):
        for name, column in drawn.items():
            values = view.components[:, column] * (top.size / view.size)
            text = view.when if len(moments) > 1 and column == min(drawn.values()) else None
            for height in heights:
                x, y = curve(view, values, height)
                (drawn_line,) = axes.plot(
                    x, y, DASHES.get(name, "-"), color=shade(i, len(moments)), label=text
                )
                if len(heights) > 1:
                    drawn_line.set(linewidth=0.7, alpha=0.6)
    if len(drawn) > 1:
        for name in drawn:
            axes.plot([], [], DASHES[name], color=LINE, label=f"{name} component")
    if views[-1].mesh:
        _ends(axes, views[-1])
    when = "" if len(moments) > 1 else views[-1].when
    note = f"{len(heights)} of {len(every)} lines" if len(heights) < len(every) else views[-1].note
    _frame(axes, replace(views[-1], unit=top.unit, when=when, note=note))


def _levels(view: View) -> np.ndarray:
    """Return the heights y of the lines that lie beside each other, (k,)."""
    return np.unique(np.concatenate([view.points[cells[:, 0], 1] for _, cells, _ in view.grid.blocks]))


def curve(view: View, values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return x (n,) and values (n,) of a field on points (P,) or cells (C,) of one line, left to right.

    Parabolas are divided, cell values are level steps; NaN stand where the mesh has a gap.
    """
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    for kind, every, numbers in view.grid.blocks:
        here = view.points[every[:, 0], 1] == level
        cells, index, weights = every[here], numbers[here], _weights(kind, view.location)
        x = np.einsum("ln,cn->cl", weights, view.moved[cells, 0])
        if view.location == "point":
            y = np.einsum("ln,cn->cl", weights, values[cells])
        else:
            y = np.broadcast_to(values[index][:, None], x.shape)
        # a cell may run from right to left
        pieces += [(a, b) if a[-1] >= a[0] else (a[::-1], b[::-1]) for a, b in zip(x, y, strict=True)]
    pieces.sort(key=lambda piece: float(piece[0][0]))
    width, whole = float(np.ptp(view.moved[:, 0])), pieces[:1]
    for piece in pieces[1:]:
        if piece[0][0] - whole[-1][0][-1] > GAP * width:
            whole.append((np.full(1, np.nan), np.full(1, np.nan)))
        whole.append(piece)
    return np.concatenate([a for a, _ in whole]), np.concatenate([b for _, b in whole])


def _weights(kind: Kind, location: str) -> np.ndarray:
    """Return the shape functions (L, nodes) at the points of a cell that are drawn, its ends included."""
    parts = PARTS if kind.nodes > 2 and location == "point" else 1
    return kind.shape(np.linspace(0, 1, parts + 1)[:, None])[0]


def _changing(views: Sequence[View]) -> Sequence[View]:
    """Return the moments to be drawn: the last one alone where all are equal."""
    last = views[-1]
    same = (v.size == last.size and np.array_equal(v.components, last.components) for v in views)
    return [last] if all(same) else views


def _components(views: Sequence[View]) -> dict[str, int]:
    """Return name and column of what is drawn: the components that are more than rounding at any moment."""
    peaks = np.max([np.nanmax(np.abs(v.components), axis=0, initial=0.0) / v.size for v in views], axis=0)
    if len(peaks) == 1:
        return {"": 0}
    shown = {
        name: i
        for i, (name, peak) in enumerate(zip("xyz", peaks, strict=False))
        if peak > NOISE * peaks.max()
    }
    return shown or {"x": 0}


def _ends(axes: Axes, view: View) -> None:
    """Mark the ends of all cells at the foot of the picture."""
    ends = np.unique(
        np.concatenate([view.moved[cells[:, :2], 0].ravel() for _, cells, _ in view.grid.blocks])
    )
    axes.plot(ends, 0 * ends, "|", color=LINE, markersize=9, transform=axes.get_xaxis_transform())


def _frame(axes: Axes, view: View) -> None:
    """Set limits, labels, the legend and the title with its second line."""
    axes.margins(x=0.0)
    # solvers stop at a residual of 1e-8, fluxes magnify what they leave
    level(axes, axes.dataLim.intervaly, FLAT)
    if view.values.dtype.kind in "iub":
        axes.locator_params(axis="y", integer=True)
    axes.set_ylabel(label(view.name, view.unit))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8.5, frameon=True, framealpha=0.8, edgecolor="none")
    # the lines are those of the components, not of the magnitude
    headline(axes, replace(view, about=view.about or words(view.name)))


SHAPE = Shape(draw, place, size, overview, MOMENTS)
