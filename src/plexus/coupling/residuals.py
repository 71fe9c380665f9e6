"""What states at successive times leave over in the discrete equations a(u)_t = R(u, t) that a system marches.

    r = (a_1 - a_0)/dt - R(u_s, t + θ dt),   a(u_s) = a_0 + θ (a_1 - a_0)

is the equation of the stepper ``theta``: zero for its states, of the order of the scheme in space and time for exact
solutions, 2 in time for θ = 1/2. With a given rate in the place of the quotient there is no error in time. Fields
have any batch axes before their components, (..., m, *shape) on the own cells or grid points of a rank; results are
differentiable, as often as the formulas of the rates are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from plexus.deck.unitnames import simplified

if TYPE_CHECKING:
    from plexus.coupling.spectral import SpectralSystem
    from plexus.coupling.volumes import VolumeSystem

Tensor = torch.Tensor
Fields = Mapping[str, Tensor]


def per_second(unit: str) -> str:
    """Return the unit of a rate."""
    return "1/s" if unit == "1" else simplified(f"({unit})/s")


class Residuals(ABC):
    """Residuals of a system whose unknowns are tensors on a grid.

    Attributes
    ----------
    units : field -> unit of its rows.
    dim : number of axes of the grid.
    autonomous : whether rates do not depend on time, so that all steps of a window are one batch.
    """

    units: Mapping[str, str]
    dim: int
    autonomous: bool

    def step(
        self, before: Fields, after: Fields, t: float, dt: float | Tensor, theta: float = 0.5
    ) -> dict[str, Tensor]:
        """Return r (..., m, *shape) of each field for a step of ``dt`` [s] from time t [s]. Collective."""
        old, new = self.amounts(before), self.amounts(after)
        stage = new if theta == 1 else old + theta * (new - old)
        return self.fields((new - old) / dt - self.rates(stage, t + theta * dt))

    def instant(self, values: Fields, rates: Fields, t: float) -> dict[str, Tensor]:
        """Return a'(u) u_t - R(u, t) for given rates u_t [unit/s]. Collective."""
        return self.fields(self.changing(values, rates) - self.rates(self.amounts(values), t))

    def window(self, values: Fields, times: Sequence[float], theta: float = 0.5) -> dict[str, Tensor]:
        """Return r (..., T - 1, m, *shape) of all steps between T times [s]; values (..., T, m, *shape). Collective."""
        axis, count = -self.dim - 2, len(times) - 1
        before, after = ({n: u.narrow(axis, k, count) for n, u in values.items()} for k in (0, 1))
        if self.autonomous:
            like = next(iter(values.values()))
            dt = torch.as_tensor(times, dtype=torch.float64, device=like.device).diff()
            return self.step(before, after, times[0], dt.reshape(-1, *(1,) * (self.dim + 1)), theta)
        steps = []
        for k, (t, end) in enumerate(zip(times[:-1], times[1:], strict=True)):
            ends = ({n: u.select(axis, k) for n, u in some.items()} for some in (before, after))
            steps.append(self.step(*ends, t, end - t, theta))
        return {n: torch.stack([s[n] for s in steps], axis) for n in self.units}

    @abstractmethod
    def amounts(self, values: Fields) -> Tensor:
        """Return what steppers see of fields."""

    @abstractmethod
    def changing(self, values: Fields, rates: Fields) -> Tensor:
        """Return how amounts change where fields do at given rates."""

    @abstractmethod
    def rates(self, amounts: Tensor, t: float | Tensor) -> Tensor:
        """Return R of amounts. Collective."""

    @abstractmethod
    def fields(self, rows: Tensor) -> dict[str, Tensor]:
        """Return rows of amounts by field."""


class OnCells(Residuals):
    """Residuals of a finite volume scheme."""

    def __init__(self, system: VolumeSystem):
        self.scheme, self.names, self.dim = system.scheme.in_torch(), system.evolving, system.scheme.dim
        law, self.autonomous = self.scheme.holds, system.autonomous
        specs = [(law.amounts if law else {}).get(s.name, s) for s in self.scheme.specs]
        self.units = {name: per_second(s.unit) for name, s in zip(self.names, specs, strict=True)}

    def amounts(self, values: Fields) -> Tensor:
        """Return amounts (..., M, *cells)."""
        u = self._stack(values)
        return self.scheme.stored(self._flat(u)).reshape(u.shape)

    def changing(self, values: Fields, rates: Fields) -> Tensor:
        """Return a'(u) u_t (..., M, *cells)."""
        u, rate = self._stack(values), self._stack(rates)
        capacity = self.scheme.capacity(self._flat(u))
        return rate if capacity is None else capacity.reshape(u.shape) * rate

    def rates(self, amounts: Tensor, t: float | Tensor) -> Tensor:
        """Return the rates (..., M, *cells). Collective."""
        return self.scheme.rates(self._flat(amounts), t).reshape(amounts.shape)

    def _stack(self, fields: Fields) -> Tensor:
        """Return all fields as one tensor (..., M, *cells)."""
        return torch.cat([fields[name] for name in self.names], -self.dim - 1)

    def _flat(self, u: Tensor) -> Tensor:
        """Return a stack with one batch axis."""
        return u.reshape(-1, *u.shape[-self.dim - 1 :])

    def fields(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the rows of each field."""
        return dict(zip(self.names, rows.split(self.scheme.sizes, -self.dim - 1), strict=True))


class OnModes(Residuals):
    """Residuals of a model in Fourier space, on the points of its grid."""

    def __init__(self, system: SpectralSystem):
        self.model, self.dim = system.model, system.model.space.dim
        self.autonomous = system.autonomous
        self.units = {system.unknown: per_second(system.shown[system.unknown].unit)}

    def amounts(self, values: Fields) -> Tensor:
        """Return the modes (..., m, *hat_shape)."""
        return self.model.space.forward(values[self.model.unknown])

    def changing(self, values: Fields, rates: Fields) -> Tensor:
        """Return the modes of the rates."""
        return self.amounts(rates)

    def rates(self, amounts: Tensor, t: float | Tensor) -> Tensor:
        """Return the modes of the rates. Collective."""
        found: Tensor = self.model.linear * amounts + self.model.explicit(amounts, t)
        return found

    def fields(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the rows at the points of the grid. Collective."""
        return {self.model.unknown: self.model.space.inverse(rows)}
