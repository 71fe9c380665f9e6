"""Pictures of spectra: the shells' values over their numbers, one line per time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plexus_post.pictures.history import History
from plexus_post.pictures.panels import panels, time_bar
from plexus_post.pictures.style import save
from plexus_post.units import words

SPECTRA = "spectra"
"""First part of the name of tables with a column per shell of wave numbers."""


def suits(history: History) -> bool:
    """Return whether the table holds spectra."""
    return history.family == SPECTRA and bool(history.columns)


def draw(history: History, path: Path) -> Path:
    """Draw the shells' values over their numbers, one line per time, coloured by it."""
    from matplotlib import colormaps

    table, columns = history.table, history.columns
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
    axes.set_title(f"Spectrum of {words(history.name.partition('/')[2])}")
    if len(time) > 1:
        time_bar(axes, last, f"time ({len(time)} spectra)")
    return save(figure, path)
