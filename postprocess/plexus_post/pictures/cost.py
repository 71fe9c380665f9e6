"""Error against cost, a panel for each quantity and a mark for each run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.units import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from plexus_post.tables.cost import Row

MARKS = "osD^vPX*"
COLUMNS, LEGEND = 3, 4
"""Panels and names beside each other."""
SAME = 3.0
"""Ratio of errors below which their axis is widened by it: rounding is no difference."""
ROUNDING = 1e-16
"""Smaller errors, which have no place on a log axis, are drawn here."""


def draw(rows: Sequence[Row], path: Path, what: str) -> Path:
    """Draw the rows, the first of which is the reference; return the path.

    A mark is the run alone; a line leads to the hollow one of run and offline part together. ``what`` names
    the error.
    """
    names = list(rows[1].errors)
    columns = min(len(names), COLUMNS)
    lines = -(-len(names) // columns)
    size = (1.2 + 3.4 * max(columns, 1.6), 0.9 + 3.0 * lines)
    how: dict[str, Any] = {"figsize": size, "layout": "constrained", "squeeze": False}
    figure, grid = pyplot().subplots(lines, columns, **how)
    for axes, name in zip(grid.flat, names, strict=False):
        _panel(axes, rows, name)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel(what)
    if any(row.offline for row in rows[1:]):
        grid[0, 0].plot(
            [], [], "-o", color=LINE, lw=0.8, ms=7, fillstyle="none", label="with its offline part"
        )
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(handles), LEGEND))
    return save(figure, path)


def _panel(axes: Axes, rows: Sequence[Row], name: str) -> None:
    """Draw one quantity."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    reference, *others = rows
    axes.axvline(reference.seconds, color=LINE, lw=1.2, ls="--", label=f"{reference.name} (reference)")
    for i, row in enumerate(others):
        error = max(row.errors[name], ROUNDING)
        how: dict[str, Any] = {"color": f"C{i % 8}", "marker": MARKS[i % len(MARKS)], "ms": 7}
        if row.offline:
            ends = [row.seconds, row.total]
            axes.plot(ends, [error, error], color=how["color"], lw=0.8, zorder=1)
            axes.plot(ends[1], error, fillstyle="none", **how)
        axes.plot(row.seconds, error, ls="none", label=row.name, **how)
    axes.set(xscale="log", yscale="log", xlabel="seconds of cores", title=words(name))
    axes.margins(0.1)
    every = [max(row.errors[name], ROUNDING) for row in others]
    if max(every) < SAME * min(every):
        axes.set_ylim(min(every) / SAME, max(every) * SAME)
    # costs may lie within one decade
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
