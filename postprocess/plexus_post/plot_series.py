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

RESIDUAL = "residual"
"""Part of a column's name that asks for a logarithmic axis."""


def histories(run: Run, folder: Path) -> list[Path]:
    """Write a picture of every history with at least two rows; return the paths."""
    made = []
    for name in run.series_file.columns:
        table = run.series(name).select_dtypes("number")
        if len(table) > 1 and len(table.columns):
            made.append(_history(run, name, table, folder / f"{name.replace('/', '_')}.png"))
    return made


def _history(run: Run, name: str, table: pandas.DataFrame, path: Path) -> Path:
    """Draw a table, one panel per unit, all over the same axis."""
    plt = pyplot()
    units = table.attrs.get("units", {})
    groups: dict[str, list[str]] = {}
    for column in table.columns:
        alone = "" if RESIDUAL in f"{name}/{column}" else column
        groups.setdefault(units.get(column, "") or alone, []).append(column)
    figure, panels = plt.subplots(
        len(groups), 1, sharex=True, squeeze=False, figsize=(7, 1.1 + 2.4 * len(groups)), layout="constrained"
    )
    for axes, columns in zip(panels[:, 0], groups.values(), strict=True):
        _panel(axes, table, columns, units.get(columns[0], ""), RESIDUAL in f"{name}/{columns[0]}")
    axis = str(table.index.name or "row")
    panels[-1, 0].set_xlabel(label(axis, short(units.get(axis, "s" if axis == "time" else ""))))
    panels[0, 0].set_title(words(name.replace("/", " · ")).capitalize())
    return save(figure, path)


def _panel(axes: Any, table: pandas.DataFrame, columns: list[str], unit: str, logarithmic: bool) -> None:
    factor, symbol = scale(unit, table[columns].to_numpy(dtype=float))
    marker = "o" if len(table) <= 40 else None
    for column in columns:
        values = table[column].to_numpy(dtype=float) * factor
        axes.plot(table.index, values, marker=marker, label=words(column))
    if logarithmic and (table[columns].to_numpy() > 0).any():
        axes.set_yscale("log")
    axes.set_ylabel(label(columns[0], symbol) if len(columns) == 1 else label("", symbol).strip())
    if len(columns) > 1:
        axes.legend()


def along(data: Mapping[str, np.ndarray], axis: str, run: Run, path: Path) -> Path:
    """Draw sampled columns over ``time`` or ``distance``, one panel per field; return the path."""
    plt = pyplot()
    fields = {n: [c for c in data if c == n or c.startswith(f"{n}_")] for n in run.fields}
    fields = {n: c for n, c in fields.items() if c and not any(n.startswith(f"{m}_") for m in fields)}
    figure, panels = plt.subplots(
        len(fields), 1, sharex=True, squeeze=False, figsize=(7, 1.1 + 2.2 * len(fields)), layout="constrained"
    )
    for axes, (name, columns) in zip(panels[:, 0], fields.items(), strict=True):
        factor, symbol = scale(run.unit(name), np.concatenate([data[c] for c in columns]))
        for column in columns:
            axes.plot(data[axis], data[column] * factor, label=words(column))
        axes.set_ylabel(label(name, symbol))
        if len(columns) > 1:
            axes.legend()
    panels[-1, 0].set_xlabel(label(axis, "s" if axis == "time" else "m"))
    panels[0, 0].set_title(run.title)
    return save(figure, path)
