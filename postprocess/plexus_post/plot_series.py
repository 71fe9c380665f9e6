"""Pictures of histories: quantities over time, residuals over iterations, lines through the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.run import Run
from plexus_post.style import pyplot, save
from plexus_post.units import label, scale, short, words

if TYPE_CHECKING:
    import pandas

RESIDUALS = {"krylov": "Krylov residual", "newton": "Newton residual"}
"""First part of a table's name -> title; these tables have a row per iteration, norms on a log axis."""
COUNTERS = ("time", "step", "iteration", "wall")
"""Columns that say when, not what."""
FEW = 40
"""Up to this many rows, every one gets a mark."""


def histories(run: Run, folder: Path) -> list[Path]:
    """Write a picture of every history with at least two rows; return the paths."""
    made = []
    for name in run.series_file.columns:
        table = run.series(name).select_dtypes("number")
        columns = [str(c) for c in table if c not in COUNTERS and table[c].any()]
        if len(table) > 1 and columns:
            path = folder / f"{name.replace('/', '_')}.png"
            draw = _residuals if name.split("/")[0] in RESIDUALS else _history
            made.append(draw(name, table, columns, path))
    return made


def _history(name: str, table: pandas.DataFrame, columns: list[str], path: Path) -> Path:
    """Draw columns over time, one panel per unit."""
    units = table.attrs.get("units", {})
    groups: dict[str, list[str]] = {}
    for column in columns:
        groups.setdefault(units.get(column) or column, []).append(column)
    figure, panels = _panels(len(groups))
    for axes, members in zip(panels, groups.values(), strict=True):
        _lines(axes, table.index.to_numpy(dtype=float), {c: table[c].to_numpy(float) for c in members}, units)
    axis = str(table.index.name or "row")
    panels[-1].set_xlabel(label(axis, short(units.get(axis) or ("s" if axis == "time" else ""))))
    panels[0].set_title(words(name.replace("/", " of ")).capitalize())
    return save(figure, path)


def _residuals(name: str, table: pandas.DataFrame, columns: list[str], path: Path) -> Path:
    """Draw norms over all iterations of the run; a dotted line begins each solve."""
    kind, _, of = name.partition("/")
    figure, (axes,) = _panels(1)
    for column in columns:
        axes.semilogy(
            table[column].to_numpy(float), marker="o" if len(table) <= FEW else None, label=words(column)
        )
    count = table["iteration"].to_numpy() if "iteration" in table else np.arange(len(table))
    starts = np.flatnonzero(np.diff(count, prepend=1) <= 0)
    if 1 < len(starts) <= FEW:
        for start in starts[1:]:
            axes.axvline(start, color="#aaaaaa", linewidth=0.7, linestyle=":")
    axes.set_xlabel("iteration" if len(starts) < 2 else f"iterations of {len(starts)} solves")
    axes.set_ylabel("norm")
    axes.locator_params(axis="x", integer=True)
    axes.set_title(f"{RESIDUALS[kind]} of {words(of)}")
    if len(columns) > 1:
        axes.legend()
    return save(figure, path)


def along(data: Mapping[str, np.ndarray], axis: str, run: Run, path: Path) -> Path:
    """Draw sampled columns over ``time`` or ``distance``, one panel per field; return the path."""
    fields = {n: [c for c in data if c == n or c.removeprefix(f"{n}_") in COMPONENTS] for n in run.fields}
    fields = {n: c for n, c in fields.items() if c}
    figure, panels = _panels(len(fields))
    for axes, (name, columns) in zip(panels, fields.items(), strict=True):
        _lines(axes, data[axis], {c: data[c] for c in columns}, dict.fromkeys(columns, run.unit(name)))
    panels[-1].set_xlabel(label(axis, "s" if axis == "time" else "m"))
    panels[0].set_title(run.title)
    return save(figure, path)


COMPONENTS = {*"xyz", *(a + b for a in "xyz" for b in "xyz")}
"""Endings of the columns of vectors and tensors."""


def _panels(count: int) -> tuple[Any, list[Any]]:
    """Return a figure and its panels, one above the other over one axis."""
    size = (7.0, 1.1 + 2.3 * count)
    figure, panels = pyplot().subplots(
        count, 1, sharex=True, squeeze=False, figsize=size, layout="constrained"
    )
    return figure, list(panels[:, 0])


def _lines(axes: Any, x: np.ndarray, columns: Mapping[str, np.ndarray], units: Mapping[str, str]) -> None:
    """Draw columns of one unit, scaled to convenient numbers."""
    names = list(columns)
    factor, symbol = scale(units.get(names[0], ""), np.concatenate(list(columns.values())))
    for name, values in columns.items():
        axes.plot(x, values * factor, marker="o" if len(x) <= FEW else None, label=words(name))
    axes.set_ylabel(label(names[0], symbol) if len(names) == 1 else f"[{symbol}]" if symbol else "")
    if len(names) > 1:
        axes.legend()
