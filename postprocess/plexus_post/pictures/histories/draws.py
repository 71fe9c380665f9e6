"""Pictures of campaigns: how often each figure of the draws is where, with median, 5 and 95 %."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fileformat import DRAW, DRAWS
from plexus_post.pictures.history import History
from plexus_post.pictures.style import pyplot, save
from plexus_post.units import label, scale

if TYPE_CHECKING:
    import pandas

CHECKS = ("full_", "error_")
"""How columns of checks begin."""
QUANTILES = {0.05: ":", 0.5: "-", 0.95: ":"}
DECADES = 30.0
"""Ratio of the 95 % to the 5 % quantile beyond which the axis is logarithmic."""
CHECKED = "#d95f02"
WIDTH = 66
"""Letters of a line of the headline."""
LACKING = {
    "failed": "did not come to their end", "beyond": "beyond what the model knows",
    "outside": "where data do not reach",
}  # fmt: skip


def suits(history: History) -> bool:
    """Return whether the table is that of a campaign with figures."""
    return history.name == DRAWS and "draw" in history.table and bool(_figures(history.table))


def draw(history: History, path: Path) -> Path:
    """Draw a histogram of each figure; return the path."""
    table = history.table
    names = _figures(table)
    figure, grid = pyplot().subplots(
        len(names), 1, squeeze=False, layout="constrained", figsize=(7.0, 0.6 + 2.3 * len(names))
    )
    for axes, name in zip(grid.flat, names, strict=True):
        _histogram(axes, table, name, table.attrs.get("units", {}).get(name, ""))
    grid.flat[0].set_title(_title(table))
    return save(figure, path)


def _figures(table: pandas.DataFrame) -> list[str]:
    """Return the columns that are figures and have two values at least."""
    names = [str(c) for c in table if c not in DRAW and not str(c).startswith(CHECKS)]
    return [name for name in names if np.isfinite(table[name]).sum() > 1]


def _histogram(axes: Any, table: pandas.DataFrame, name: str, unit: str) -> None:
    values = table[name].to_numpy(float)
    endless = int(np.isinf(values).sum())
    values = values[np.isfinite(values)]
    factor, symbol = scale(unit, values)
    values = factor * values
    low, _, high = marks = np.quantile(values, list(QUANTILES), method="inverted_cdf")
    wide = low > 0 and high > DECADES * low
    ends = np.log10(values) if wide else values
    edges = np.histogram_bin_edges(ends, bins=min(60, max(8, round(2 * len(values) ** 0.5))))
    axes.hist(values, bins=10**edges if wide else edges, color="C0", alpha=0.6)
    if wide:
        axes.set_xscale("log")
    for value, style in zip(marks, QUANTILES.values(), strict=True):
        axes.axvline(value, color="black", lw=1.2, ls=style)
    full = f"full_{name}"
    if full in table and (checked := factor * table[full].to_numpy(float)[np.isfinite(table[full])]).size:
        where = {"transform": axes.get_xaxis_transform(), "clip_on": False, "zorder": 3}
        axes.plot(checked, np.full(len(checked), 0.03), "^", color=CHECKED, ms=6, label="full model", **where)
        axes.legend()
    text = f"5 %: {low:.4g}   median: {marks[1]:.4g}   95 %: {high:.4g}"
    axes.set_xlabel(f"{label(name, symbol)}    {text}" + (f"   without end: {endless}" if endless else ""))
    axes.set_ylabel("draws")
    axes.yaxis.get_major_locator().set_params(integer=True)


def _title(table: pandas.DataFrame) -> str:
    """Return how many draws there are, have failed, and leave what the model or its data know."""
    parts = [f"{len(table)} draws"]
    for column, words in LACKING.items():
        count = int((np.nan_to_num(table[column]) > 0).sum()) if column in table else 0
        parts += [f"{count} {words}"] if count else []
    return fill(", ".join(parts), WIDTH)
