"""Pictures of histories: quantities over time, residuals over iterations, lines through the mesh."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.run import Run
from plexus_post.style import pyplot, save
from plexus_post.units import label, scale, short, words

if TYPE_CHECKING:
    import pandas

SPECTRA = "spectra"
"""First part of the name of tables with a column per shell of wave numbers."""
RESIDUALS = {"krylov": "Krylov residual", "newton": "Newton residual"}
"""First part of a table's name -> title; these tables have a row per iteration, norms on a log axis."""
COUNTERS = ("time", "step", "iteration", "wall")
"""Columns that say when, not what."""
FEW = 40
"""Up to this many rows, every one gets a mark."""
MANY = 5
"""More panels than this stand in two columns."""


def histories(run: Run, folder: Path) -> list[Path]:
    """Write a picture of every history with at least two rows, and of every line; return the paths."""
    from plexus_post import plot_profile, plot_training

    made = []
    for name in run.series_file.columns:
        table = run.series(name).select_dtypes("number")
        # counters are axes, and columns of zeros tell nothing
        told = [
            str(c) for c in table if c not in COUNTERS and np.nan_to_num(table[c]).any() and _varied(table[c])
        ]
        columns = sorted(told, key=_numbers)
        path = folder / f"{name.replace('/', '_')}.png"
        positions = run.series_file.positions(name)
        if plot_profile.is_line(positions):
            made.append(plot_profile.profiles(name, table, positions, path))
        elif name == plot_training.TABLE and {"loss", "rate", "stage", "step"} <= set(table):
            made.append(plot_training.draw(table, path))
        elif name.split("/")[0] == SPECTRA and columns:
            made.append(_spectra(name, table, columns, path))
        elif len(table) > 1 and columns:
            draw = _residuals if name.split("/")[0] in RESIDUALS else _history
            made.append(draw(name, table, columns, path))
    return made


def _varied(column: pandas.Series) -> bool:
    """Return whether a column has two values to draw a line between."""
    return int(np.isfinite(column).sum()) > 1 or len(column) == 1


def _numbers(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts the numbers in names as numbers."""
    return [(int(part or 0), "") if i % 2 else (0, part) for i, part in enumerate(re.split(r"(\d+)", name))]


def _history(name: str, table: pandas.DataFrame, columns: list[str], path: Path) -> Path:
    """Draw columns over time, one panel per unit; residuals share one with a log axis."""
    units = table.attrs.get("units", {})
    groups: dict[str, list[str]] = {}
    for column in columns:
        # without a unit, only residuals are known to be comparable
        shared = "residual" if "residual" in column else column
        groups.setdefault(units.get(column) or shared, []).append(column)
    columns_of_panels = 1 if len(groups) <= MANY else 2
    figure, rows = panels(len(groups), columns_of_panels)
    for axes, (group, members) in zip(rows, groups.items(), strict=True):
        _lines(axes, table.index.to_numpy(dtype=float), {c: table[c].to_numpy(float) for c in members}, units)
        if group == "residual":
            axes.set_yscale("log")
    axis = str(table.index.name or "row")
    for axes in rows[-columns_of_panels:]:
        axes.set_xlabel(label(axis, short(units.get(axis) or ("s" if axis == "time" else ""))))
        axes.tick_params(labelbottom=True)
    title = words(name.replace("/", " of "))
    rows[0].set_title(title[:1].upper() + title[1:])
    return save(figure, path)


def _residuals(name: str, table: pandas.DataFrame, columns: list[str], path: Path) -> Path:
    """Draw the norm over the iterations of each solve, one line per solve, coloured by its time."""
    from matplotlib import colormaps

    kind, _, of = name.partition("/")
    figure, (axes,) = panels(1)
    count = table["iteration"].to_numpy() if "iteration" in table else np.arange(len(table))
    norm, time = table[columns[0]].to_numpy(float), table.index.to_numpy(float)
    # a solve begins where the count of iterations starts again
    solves = np.split(np.arange(len(table)), np.flatnonzero(np.diff(count) <= 0) + 1)
    last = float(time.max()) or 1.0
    for rows in solves:
        how = {"color": colormaps["viridis"](time[rows[0]] / last)} if len(solves) > 1 else {"marker": "o"}
        axes.semilogy(count[rows], norm[rows], **how)
    axes.set_xlabel("iteration")
    axes.set_ylabel("norm")
    axes.locator_params(axis="x", integer=True)
    axes.set_title(f"{RESIDUALS[kind]} of {words(of)}")
    if len(solves) > 1:
        _time_bar(axes, last, f"time of the solve ({len(solves)} solves)")
    return save(figure, path)


def _spectra(name: str, table: pandas.DataFrame, columns: list[str], path: Path) -> Path:
    """Draw the shells' values over their numbers, one line per time, coloured by it."""
    from matplotlib import colormaps

    shells = np.array([int(c.rpartition("_")[2]) for c in columns])
    values, time = table[columns].to_numpy(float), table.index.to_numpy(float)
    figure, (axes,) = panels(1)
    last, top = float(time.max()) or 1.0, float(np.nanmax(values))
    for when, row in zip(time, values, strict=True):
        seen = (shells > 0) & (row > 0)
        colour = colormaps["viridis"](when / last) if len(time) > 1 else None
        axes.loglog(shells[seen], row[seen], color=colour, lw=1, marker="." if len(time) == 1 else None)
    # what lies further below the peak is rounding
    axes.set_ylim(max(axes.get_ylim()[0], 1e-16 * top), 3 * top)
    axes.set_xlabel("shell k L / 2π")
    axes.set_ylabel("sum of |û|² in the shell")
    axes.set_title(f"Spectrum of {words(name.partition('/')[2])}")
    if len(time) > 1:
        _time_bar(axes, last, f"time ({len(time)} spectra)")
    return save(figure, path)


def _time_bar(axes: Any, last: float, text: str) -> None:
    """Add the colour bar that tells a line's time."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = axes.figure.colorbar(ScalarMappable(Normalize(0, last), "viridis"), ax=axes, pad=0.02)
    bar.set_label(label(text, "s"))
    bar.outline.set_linewidth(0.5)


def along(data: Mapping[str, np.ndarray], axis: str, run: Run, path: Path) -> Path:
    """Draw sampled columns over ``time`` or ``distance``, one panel per field; return the path."""
    every = {n: [c for c in data if _of(c, n) and np.nan_to_num(data[c]).any()] for n in run.fields}
    fields = {n: c for n, c in every.items() if c}
    if not fields:
        raise PostError("nothing to draw: all values are zero or outside the mesh")
    figure, rows = panels(len(fields))
    factor, length = scale("m" if axis == "distance" else "", data[axis])
    for axes, (name, columns) in zip(rows, fields.items(), strict=True):
        _lines(
            axes, data[axis] * factor, {c: data[c] for c in columns}, dict.fromkeys(columns, run.unit(name))
        )
    rows[-1].set_xlabel(label(axis, length or "s"))
    rows[0].set_title(run.title)
    return save(figure, path)


def _of(column: str, field: str) -> bool:
    """Return whether a column is a field or one of its components."""
    return column == field or (column.startswith(f"{field}_") and column[len(field) + 1 :] in COMPONENTS)


COMPONENTS = {*"xyz", *(a + b for a in "xyz" for b in "xyz")}
"""Endings of the columns of vectors and tensors."""


def panels(count: int, columns: int = 1) -> tuple[Any, list[Any]]:
    """Return a figure and its panels over one axis, one above the other, or row by row in columns."""
    rows = -(-count // columns)
    how: dict[str, Any] = {"sharex": True, "squeeze": False, "layout": "constrained"}
    size = (7.0 if columns == 1 else 5.0 * columns, 1.1 + 2.3 * rows)
    figure, grid = pyplot().subplots(rows, columns, figsize=size, **how)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return figure, list(grid.flat[:count])


def _lines(axes: Any, x: np.ndarray, columns: Mapping[str, np.ndarray], units: Mapping[str, str]) -> None:
    """Draw columns of one unit, scaled to convenient numbers."""
    names = list(columns)
    factor, symbol = scale(units.get(names[0], ""), np.concatenate(list(columns.values())))
    for name, values in columns.items():
        axes.plot(x, values * factor, marker="o" if len(x) <= FEW else None, label=words(name))
    axes.set_ylabel(label(names[0], symbol) if len(names) == 1 else f"[{symbol}]" if symbol else "")
    if len(names) > 1:
        axes.legend()
