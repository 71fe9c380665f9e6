"""Pictures of readings: what was measured beside what the fitted run answers, and the residuals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.style import pyplot, save
from plexus_post.readers.calibration import Readings
from plexus_post.readers.run import Run
from plexus_post.units import label

PLACES, TIMES = 6, 3
"""Up to this many places with so many times each are drawn as lines, others as computed over measured."""
MOST = 6
"""Blocks of measurements that are drawn."""


def readings(run: Run, every: Sequence[Readings], path: Path) -> Path:
    """Draw the readings of each block with their residuals below; return the path."""
    shown = every[:MOST]
    figure, grid = pyplot().subplots(
        2, len(shown), figsize=(max(7.0, 4.6 * len(shown)), 5.2), height_ratios=(2.6, 1), squeeze=False,
        layout="constrained", sharex="col",
    )  # fmt: skip
    for part, (above, below) in zip(shown, grid.T, strict=True):
        _block(above, below, part)
        below.axhline(0, color="#777777", lw=0.8)
        for side in (-2, 2):
            below.axhline(side, color="#777777", lw=0.8, ls=":")
        most = max(3.0, 1.1 * float(np.abs(part.residuals).max(initial=0.0)))
        below.set_ylim(-most, most)
    grid[1, 0].set_ylabel("residual / deviation")
    left = f", {MOST} of {len(every)} blocks" if len(every) > MOST else ""
    figure.suptitle(f"Measured and fitted{left}", x=0.01, ha="left", fontweight="bold", fontsize=11.5)
    return save(figure, path)


def _block(above: Any, below: Any, part: Readings) -> None:
    """Draw one block: over time where few places have many times, else computed over measured."""
    places, which = np.unique(part.places, axis=0, return_inverse=True)
    which = which.reshape(-1)
    times = min(len(np.unique(part.time[which == i])) for i in range(len(places)))
    if not np.isfinite(part.time).all() or len(places) > PLACES or times < TIMES:
        _scattered(above, below, part)
        return
    for i, place in enumerate(places):
        mine = np.flatnonzero(which == i)[np.argsort(part.time[which == i], kind="stable")]
        t, colour = part.time[mine], f"C{i}"
        at = ", ".join(f"{v:.4g}" for v in place)
        one = len(places) == 1
        above.plot(t, part.measured[mine], ".", ms=4, color="#888888" if one else colour,
                   alpha=1 if one else 0.4, label="measured" if i == len(places) - 1 else None)  # fmt: skip
        above.plot(t, part.computed[mine], color=colour, label="fitted" if one else f"fitted, at ({at}) m")
        below.plot(t, part.residuals[mine], ".", ms=4, color=colour)
    above.set_ylabel(label(part.of, part.unit))
    below.set_xlabel("t [s]")
    above.legend()


def _scattered(above: Any, below: Any, part: Readings) -> None:
    """Draw computed over measured values, on the diagonal where they agree."""
    ends = np.array(
        [min(part.measured.min(), part.computed.min()), max(part.measured.max(), part.computed.max())]
    )
    above.plot(ends, ends, color="#777777", lw=0.8, label="agreement")
    few = len(part.measured) <= 200
    if few:
        above.errorbar(part.measured, part.computed, xerr=1.96 * part.deviation, fmt="o", ms=3.5, lw=0.8,
                       color="C0", label="measured, 95 %")  # fmt: skip
    else:
        above.plot(part.measured, part.computed, ".", ms=3, alpha=0.5, color="C0")
    below.plot(part.measured, part.residuals, "o" if few else ".", ms=3.5, color="C0")
    above.set_ylabel(f"fitted {label(part.of, part.unit)}")
    below.set_xlabel(f"measured {label(part.of, part.unit)}")
    above.legend()
