"""What a roll-out of a model leaves: velocity, order, speed and spectrum over time.

The truth's trace also holds moments and flow of some frames, on which closures are judged a priori.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from plexus.fields.state import State
from plexus.learning import metrics
from plexus.models.suspension.base import Suspension
from plexus.models.suspension.spins import reflections
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


def roll(
    case: Case,
    setup: Setup,
    contender: Contender,
    stop: tuple[Trace, float] | None = None,
    keep: bool = False,
) -> Trace:
    """Return the trace of a model.

    With a truth and a velocity error to ``stop`` at, the run ends early. Moments are kept at the times of
    ``setup.frames`` if asked to ``keep`` them.
    """
    model = contender.model(case, setup)
    samples: list[dict[str, Any]] = []
    kept: list[dict[str, Tensor]] = []
    first, last, step = setup.frames
    begin = time.process_time()
    with torch.no_grad():
        for t, hat in samples_of(model, setup):
            s = model.now(hat, t)
            samples.append(_sample(t, s))
            phase = (t - first) / step
            if keep and first - 1e-9 <= t <= last + 1e-9 and abs(phase - round(phase)) < 1e-6:
                kept.append(_frame(t, s))
            if (
                stop
                and not velocity_error(samples[-1]["velocity"], stop[0].velocity[len(samples) - 1]) < stop[1]
            ):
                break
    spent = (time.process_time() - begin) / max(samples[-1]["times"], setup.dt)
    columns = {k: torch.stack([torch.as_tensor(x[k]) for x in samples]) for k in samples[0]}
    frames = {k: torch.stack([f[k] for f in kept]) for k in kept[0]} if kept else {}
    guarded = model.closure.report().get("mean_outside", 0.0) if model.closure is not None else 0.0
    return Trace(**columns, guarded=guarded, seconds=spent, frames=frames)


def samples_of(model: Suspension, setup: Setup) -> Iterator[tuple[float, Tensor]]:
    """Yield times and modes of a march by SBDF2 until the end, or until values are not finite."""
    stepper, state = Sbdf2(Sbdf2Params()), State({model.unknown: model.initial()}, 0.0, 0)
    guard = getattr(model.closure, "guard", None)
    yield 0.0, state.values[model.unknown]
    for n in range(1, round(setup.end / setup.dt) + 1):
        state = State(stepper.step(model, state, state.t, setup.dt).values, n * setup.dt, n)
        if guard is not None:
            guard.tick()
        if n % setup.every == 0:
            hat = state.values[model.unknown]
            yield state.t, hat
            if not bool(hat.isfinite().all()):
                return


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
