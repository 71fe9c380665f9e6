"""Reduced models of the active fluid beside the kinetic truth, from the same start on the same grid and step.

The truth is the spin hierarchy with enough moments (20 for ζ <= 1), cut off. A `Contender` is a model of one
or two moments with a closure. A roll-out gives a `Trace`: velocity, order, speed and spectrum over time; the
truth's also holds moments and flow of some frames, on which closures are judged a priori.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from plexus import registry
from plexus.fields.state import State
from plexus.learning import metrics
from plexus.physics.active_fluid import ActiveFluid, ActiveFluidParams
from plexus.physics.active_fluid_kinetic import ActiveFluidKinetic, ActiveFluidKineticParams
from plexus.protocols import Closure
from plexus.spaces.fourier import Fourier
from plexus.spectral.spins import reflections
from plexus.spectral.suspension import Suspension
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

Tensor = torch.Tensor
HIGHEST = 12
"""Largest wave number whose spectrum is compared."""
DEVELOPED, EARLY = 15.0, (2.0, 10.0)
"""Start of long-time averages, and the window of the early error of the order parameter."""


@dataclass(frozen=True)
class Case:
    """Constants and seed of one comparison."""

    alpha: float = -3.0
    zeta: float = 1.0
    seed: int = 2

    def __str__(self) -> str:
        """Return e.g. ``(-3, 1) seed 2``."""
        return f"({self.alpha:g}, {self.zeta:g}) seed {self.seed}"


@dataclass(frozen=True)
class Setup:
    """Grid, step and times that the models of a comparison share."""

    cells: int = 64
    length: float = 10.0
    dt: float = 0.01
    end: float = 40.0
    order: int = 20
    """Moments of the truth."""
    every: int = 10
    """Steps between samples."""
    frames: tuple[float, float, float] = (5.0, 40.0, 1.0)
    """First, last and distance of the times at which the truth keeps its moments."""

    def space(self) -> Fourier:
        """Return the box."""
        return Fourier((self.cells, self.cells), (self.length, self.length))


def usual(case: Case) -> Setup:
    """Return the setup of a case; strong activity halves the step, since dt K max|g| reaches 0.5 else."""
    return Setup(dt=0.005, every=20) if case.alpha < -4 else Setup()


@dataclass(frozen=True)
class Contender:
    """A model: number of moments, and the deck block of the closure of the next one."""

    name: str
    order: int
    block: Mapping[str, Any] | None = None
    """None for a hierarchy that is cut off."""

    def closure(self) -> Closure | None:
        """Return a fresh closure."""
        if self.block is None:
            return None
        values = dict(self.block)
        member = registry.component("closure", values.pop("type"))
        return member.cls(member.params.model_validate(values))

    def model(self, case: Case, setup: Setup) -> Suspension:
        """Return the model of a case; all models start from the same waves."""
        params = ActiveFluidParams(order=self.order, alpha=case.alpha, zeta=case.zeta)
        return ActiveFluid(params).model(setup.space(), self.closure(), seed=case.seed)


@dataclass(frozen=True)
class AngleGrid(Contender):
    """The kinetic theory on a grid of angles, enough of them for ``order`` moments."""

    def model(self, case: Case, setup: Setup) -> Suspension:
        """Return the model of a case."""
        params = ActiveFluidKineticParams(angles=6 * self.order + 6, alpha=case.alpha, zeta=case.zeta)
        return ActiveFluidKinetic(params).model(setup.space(), seed=case.seed)


BINGHAM = Contender("Bingham", 1, {"type": "bingham"})
QUADRATIC = Contender("quadratic", 1, {"type": "quadratic"})
TWO_MOMENT = Contender("two-moment", 2, {"type": "autoregressive"})
CLASSICAL = (BINGHAM, QUADRATIC, TWO_MOMENT)


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
