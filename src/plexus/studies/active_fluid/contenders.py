"""Reduced models of the active fluid, and what a comparison lets them share: start, grid, step and times.

The truth is the spin hierarchy with enough moments (20 for ζ <= 1), cut off. A `Contender` is a model of one
or two moments with a closure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plexus import registry
from plexus.models.suspension.base import Suspension
from plexus.physics.active_fluid import ActiveFluid, ActiveFluidParams
from plexus.physics.active_fluid_kinetic import ActiveFluidKinetic, ActiveFluidKineticParams
from plexus.protocols import Closure
from plexus.spaces.fourier import Fourier


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

    def keeps(self, t: float) -> bool:
        """Return whether the truth keeps its moments at a time."""
        first, last, distance = self.frames
        phase = (t - first) / distance
        return first - 1e-9 <= t <= last + 1e-9 and abs(phase - round(phase)) < 1e-6

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
