"""Long runs of the learned models, and their admissibility on grids that resolve the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.bench.fluid_models import ONE_LEARNED, TWO_LEARNED, contenders
from plexus.bench.table import Row

if TYPE_CHECKING:
    from plexus.learning.rollout import Contender, Trace

STEPS, STEP = 10_000, 0.01
STARTS = (11, 12, 13, 14)
"""Seeds of the long runs, one for each set of constants."""
RESOLVED = 20.0
"""End of the runs on finer grids."""


def stability(steps: int = STEPS) -> list[Row]:
    """Return AF21: 10,000 steps from random starts, at the step of training and 1.5 times that."""
    models, rows = contenders(), []
    for name in (ONE_LEARNED, TWO_LEARNED):
        for dt in (STEP, 1.5 * STEP):
            item = f"AF21 {name}, {steps} steps of {dt:g}"
            found = _long(item, models[name], steps, dt) if name in models else [_missing(item)]
            rows += found
    return rows


def _missing(item: str) -> Row:
    return Row(item, None, "", peer="no bundle")


def _long(item: str, model: Contender, steps: int, dt: float) -> list[Row]:
    """Return largest order and share of guarded cells over the four sets; neither may be reached at all."""
    from plexus.learning.compare import SETS, label
    from plexus.learning.rollout import Case, Setup, roll

    setup = Setup(dt=dt, end=steps * dt, every=50)
    found = {w: roll(Case(*w, seed), setup, model) for w, seed in zip(SETS, STARTS, strict=True)}
    order, guarded = ({w: f(t) for w, t in found.items()} for f in (_highest, lambda t: t.guarded))
    ends = {w: float(t.times[-1]) for w, t in found.items()}
    text = ", ".join(f"{label(w)} {v:.4f}" for w, v in order.items())
    late = [f"{label(w)} ended at t = {t:g}" for w, t in ends.items() if t < steps * dt * (1 - 1e-9)]
    worst, most = max(order.values()), max(guarded.values())
    shares = ", ".join(f"{label(w)} {v:.2g}" for w, v in guarded.items())
    seeds = f"{'aim' if dt > STEP else 'must'}; seeds {' '.join(map(str, STARTS))}"
    holds, told = worst < 0.999 and not late, "; ".join([text, *late, seeds])
    return [
        Row(f"{item}: largest r", worst, "", 0.999, holds, told),
        Row(f"{item}: cells in which the guard acted", most, "of all", 0, most == 0, f"{shares}; {seeds}"),
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
    from plexus.learning.compare import SETS, label
    from plexus.learning.rollout import Case, Setup, roll

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
