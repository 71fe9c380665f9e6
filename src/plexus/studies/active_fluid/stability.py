"""Long runs of the learned models, and their admissibility on grids that resolve the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from plexus.bench.table import Row
from plexus.studies.active_fluid.judge import listed
from plexus.studies.active_fluid.lineup import ONE_LEARNED, TWO_LEARNED, contenders

if TYPE_CHECKING:
    from plexus.studies.active_fluid.contenders import Contender
    from plexus.studies.active_fluid.traces import Trace

STEPS, STEP, LONGER = 10_000, 0.01, 1.5
STARTS = (11, 12, 13, 14)
"""Seeds of the long runs, one for each set of constants."""
RESOLVED = 20.0
"""End of the runs on finer grids."""


def stability(steps: int = STEPS) -> list[Row]:
    """Return AF21: 10,000 steps from random starts, of 0.01 and of 1.5 times the step of the training runs.

    Training runs of the strongest activity take steps of 0.005: at 0.0125 Bingham's model is lost there, too.
    """
    models, rows = contenders(), []
    for name in (ONE_LEARNED, TWO_LEARNED):
        for text, step in (("of 0.01", lambda trained: STEP), ("of 1.5 × training's", _longer)):
            item = f"AF21 {name}, {steps} steps {text}"
            rows += _long(item, models[name], steps, step) if name in models else [_missing(item)]
    return rows


def _longer(trained: float) -> float:
    return LONGER * trained


def _missing(item: str) -> Row:
    return Row(item, None, "", peer="no bundle")


def _long(item: str, model: Contender, steps: int, step: Callable[[float], float]) -> list[Row]:
    """Return largest order and share of guarded cells over the four sets; neither may be reached at all."""
    from plexus.studies.active_fluid.compare import SETS, label
    from plexus.studies.active_fluid.contenders import Case, Setup, usual
    from plexus.studies.active_fluid.traces import roll

    found, late = {}, []
    for where, seed in zip(SETS, STARTS, strict=True):
        case = Case(*where, seed)
        dt = step(usual(case).dt)
        trace = found[where] = roll(case, Setup(dt=dt, end=steps * dt, every=50), model)
        if trace.times[-1] < steps * dt * (1 - 1e-9):
            late.append(f"{label(where)} ended at t = {trace.times[-1]:g}")
    order = {w: _highest(t) for w, t in found.items()}
    guarded = {w: t.guarded for w, t in found.items()}
    worst, most = max(order.values()), max(guarded.values())
    told = "; ".join([listed(order, 4), *late, f"seeds {' '.join(map(str, STARTS))}"])
    return [
        Row(f"{item}: largest r", worst, "", 0.999, worst < 0.999 and not late, told),
        Row(f"{item}: cells in which the guard acted", most, "of all", 0, most == 0, listed(guarded)),
    ]


def _highest(trace: Trace) -> float:
    """Return the largest r, infinite where a value is not finite."""
    value = float(trace.highest.max())
    return value if value == value else float("inf")


def admissible(seed: int) -> list[Row]:
    """Return AF15 of the two-moment model, on grids on which the truth itself is admissible.

    The model carries f_2, and a grid that is too coarse for the flow leaves any carried moment, the truth's
    too, beyond the possible in places.
    """
    from plexus.studies.active_fluid.compare import SETS, label
    from plexus.studies.active_fluid.contenders import Case, Setup
    from plexus.studies.active_fluid.traces import roll

    item = f"AF15 {TWO_LEARNED}: cells outside the disk in roll-outs on resolving grids"
    model, cells = contenders().get(TWO_LEARNED), {}
    if model is None:
        return [_missing(item)]
    for where in SETS:
        n, dt = (128, 0.005) if where[0] < -4 else (96, 0.01)
        found = roll(Case(*where, seed), Setup(cells=n, dt=dt, end=RESOLVED), model)
        cells[f"{label(where)} at {n}²"] = int(found.outside.sum())
    worst = max(cells.values())
    text = ", ".join(f"{k} {v}" for k, v in cells.items())
    return [Row(item, worst, "cells", 0, worst == 0, f"{text}; to t = {RESOLVED:g}, seed {seed}")]
