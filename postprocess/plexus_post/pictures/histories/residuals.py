"""Pictures of solves: the norm of the residual over the iterations on a log axis."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plexus_post.pictures.history import History
from plexus_post.pictures.panels import panels, time_bar
from plexus_post.pictures.style import save
from plexus_post.units import words

RESIDUALS = {"krylov": "Krylov residual", "newton": "Newton residual"}
"""First part of a table's name -> title; these tables have a row per iteration."""


def suits(history: History) -> bool:
    """Return whether the table holds the norms of a solver."""
    return history.family in RESIDUALS and len(history.table) > 1 and bool(history.columns)


def draw(history: History, path: Path) -> Path:
    """Draw the norm over the iterations of each solve, one line per solve, coloured by its time."""
    from matplotlib import colormaps

    table, (kind, _, of) = history.table, history.name.partition("/")
    figure, (axes,) = panels(1)
    count = table["iteration"].to_numpy() if "iteration" in table else np.arange(len(table))
    norm, time = table[history.columns[0]].to_numpy(float), table.index.to_numpy(float)
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
        time_bar(axes, last, f"time of the solve ({len(solves)} solves)")
    return save(figure, path)
