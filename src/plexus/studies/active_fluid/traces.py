"""What a roll-out of a model leaves: velocity, order, speed and spectrum over time.

The truth's trace also holds moments and flow of some frames, on which closures are judged a priori.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from plexus.fields.state import State
from plexus.learning import metrics
from plexus.models.suspension.base import Suspension
from plexus.models.suspension.spins import reflections
from plexus.stepping.march import march
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params
from plexus.studies.active_fluid.contenders import Case, Contender, Setup

Tensor = torch.Tensor
HIGHEST = 12
"""Largest wave number whose spectrum is compared."""
DEVELOPED, EARLY = 15.0, (2.0, 10.0)
"""Start of long-time averages, and the window of the early error of the order parameter."""


@dataclass
class Trace:
    """What a roll-out left; first axis of all tensors is time. Velocity is kept in single precision."""

    times: Tensor
    velocity: Tensor
    order: Tensor
    """Mean of r = |f_1|/c."""
    speed: Tensor
    spectrum: Tensor
    outside: Tensor
    """Cells whose moments no distribution has."""
    highest: Tensor
    """Largest r."""
    guarded: float = 0.0
    """Mean fraction of cells per step in which the guard replaced the network."""
    seconds: float = 0.0
    """Processor seconds per unit of simulated time, sampling included."""
    frames: dict[str, Tensor] = field(default_factory=dict)
    """Of the truth: ``c``, ``f1``, ``f2``, ``f3``, ``e``, ``W`` and their ``times``, in single precision."""


class Stop(NamedTuple):
    """Ends a run whose velocity is too far off that of the truth."""

    true: Trace
    error: float

    def reached(self, n: int, velocity: Tensor) -> bool:
        """Return whether sample n is off by ``error``; one that is not finite is."""
        return not velocity_error(velocity, self.true.velocity[n]) < self.error


def roll(
    case: Case,
    setup: Setup,
    contender: Contender,
    stop: Stop | None = None,
    keep: bool = False,
) -> Trace:
    """Return the trace of a model, kept moments among it if asked to ``keep`` them."""
    model = contender.model(case, setup)
    samples: list[dict[str, Any]] = []
    kept: list[dict[str, Tensor]] = []
    begin = time.process_time()
    with torch.no_grad():
        for t, hat in samples_of(model, setup):
            s = model.now(hat, t)
            samples.append(_sample(t, s))
            if keep and setup.keeps(t):
                kept.append(_frame(t, s))
            if stop and stop.reached(len(samples) - 1, samples[-1]["velocity"]):
                break
    spent = (time.process_time() - begin) / max(samples[-1]["times"], setup.dt)
    columns = {k: torch.stack([torch.as_tensor(x[k]) for x in samples]) for k in samples[0]}
    frames = {k: torch.stack([f[k] for f in kept]) for k in kept[0]} if kept else {}
    guarded = model.closure.report().get("mean_outside", 0.0) if model.closure is not None else 0.0
    return Trace(**columns, guarded=guarded, seconds=spent, frames=frames)


def samples_of(model: Suspension, setup: Setup) -> Iterator[tuple[float, Tensor]]:
    """Yield times and modes of a march by SBDF2 until the end, or until values are not finite."""
    for state in states_of(model, setup.dt, round(setup.end / setup.dt)):
        if state.step % setup.every == 0:
            hat = state.values[model.unknown]
            yield state.t, hat
            if not bool(hat.isfinite().all()):
                return


def states_of(model: Suspension, dt: float, steps: int | None = None) -> Iterator[State]:
    """Yield the states of a march by SBDF2 whose guard counts steps."""
    guard = getattr(model.closure, "guard", None)
    for state in march(model, Sbdf2(Sbdf2Params()), model.initial(), dt, steps):
        if guard is not None and state.step:
            guard.tick()
        yield state


def _sample(t: float, s: Any) -> dict[str, Any]:
    r, velocity = s.f[1].abs() / s.c, s.flow.velocity
    # what a closure of f_2 answered counts as well as what a model carries
    second = s.f[1] * s.f[1] / s.c if s.second.f2 is None else s.second.f2
    lowest = torch.stack([s.f[0], s.f[1], second])
    return {
        "times": t,
        "velocity": velocity.float(),
        "order": r.mean(),
        "speed": velocity.square().sum(0).sqrt().mean(),
        "spectrum": metrics.shells(velocity, HIGHEST),
        "outside": (reflections(lowest) > 1 + metrics.ROUNDING).sum(),
        "highest": r.max(),
    }


def _frame(t: float, s: Any) -> dict[str, Tensor]:
    moments = {f"f{m}": s.f[m].to(torch.complex64) for m in (1, 2, 3)}
    flow = {"e": s.flow.e.to(torch.complex64), "W": s.flow.w.float()}
    return {"times": torch.tensor(t), "c": s.c.float(), **moments, **flow}


def velocity_error(found: Tensor, true: Tensor) -> float:
    """Return ‖found - true‖ / ‖true‖."""
    return math.sqrt(metrics.relative_mse(found.double(), true.double()))
