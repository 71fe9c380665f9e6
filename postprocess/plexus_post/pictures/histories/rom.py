"""Pictures of runs that judge themselves: the indicator on a log axis, full steps, and what they add."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plexus_post.pictures.history import History
from plexus_post.pictures.panels import FEW, panels
from plexus_post.pictures.style import save

COLUMNS = {"indicator", "enrichments", "modes", "points"}
SMALLEST = 1e-8
"""Indicator below which there is only rounding."""
FULL = "#d95f02"


def suits(history: History) -> bool:
    """Return whether the table is that of a reduced run with an indicator."""
    return history.name == "rom" and set(history.table) >= COLUMNS and len(history.table) > 1


def draw(history: History, path: Path) -> Path:
    """Draw the indicator with the steps that the full model took, then points and modes; return the path."""
    table = history.table
    x, values = table.index.to_numpy(float), np.maximum(table["indicator"].to_numpy(float), SMALLEST)
    taken = np.diff(table["enrichments"].to_numpy(float), prepend=0) > 0
    figure, (upper, *lower) = panels(3)
    mark = "o" if len(x) <= FEW else None
    upper.semilogy(x, values, marker=mark)
    if taken.any():
        upper.semilogy(x[taken], values[taken], "o", color=FULL, ms=8, label=f"{taken.sum()} full steps")
        upper.legend()
    upper.set_title("Indicator of a reduced run, and what full steps add to its model")
    upper.set_ylabel("indicator")
    for axes, name in zip(lower, ("modes", "points"), strict=True):
        axes.step(x, table[name].to_numpy(float), where="post")
        axes.set_ylabel(name)
        axes.yaxis.get_major_locator().set_params(integer=True)
    lower[-1].set_xlabel("time [s]")
    return save(figure, path)
