"""Fields of a model without a mesh: values by index, of every member of an ensemble.

A position is an index, in an ensemble (index, member). ∫ f is the sum over the index and the mean over the
members, so that the mean of f is the mean over both. An unknown with fewer values than the longest one is
constant over equal blocks of indices. In an ensemble each unknown has two more fields,

    <name>_mean = (1/M) Σ_m x_m,   <name>_spread = ( Σ_m (x_m - mean)² / (M - 1) )^(1/2),

the same for all members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.coupling.devicefields import DeviceFields
from plexus.devices.tensors import to_host
from plexus.errors import InputError
from plexus.io.piece import Piece
from plexus.models.tangent import GROWTH
from plexus.protocols import Integrand
from plexus.protocols.fields import MEAN, SPREAD
from plexus.spaces.controls import Sampled
from plexus.spaces.members import MemberPlaces
from plexus.spaces.shared import Total

if TYPE_CHECKING:
    from plexus.coupling.points import PointSystem
    from plexus.spaces.evaluate import Part


class PointFields(DeviceFields):
    """Evaluates names and functions of points on the values of all members.

    The growth of the tangent makes it one of `plexus.protocols.Tangents`, too.
    """

    def __init__(self, system: PointSystem, constants: Mapping[str, float], given: Sampled | None = None):
        self.system, points, controls = system, system.members.indices, system.controls
        super().__init__(
            points, system.shown, system.derived, constants, system.device, points.dim,
            given or Sampled(controls), controls.specs,
        )  # fmt: skip

    def window(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values of a control by member and index, (1, n)."""
        return values.reshape(1, -1)

    def _computed(self, name: str) -> torch.Tensor:
        values = self.system.values(self.state)
        if name in values:
            return self._long(values[name])
        if name in self.system.statistics:
            return self._statistic(name)
        return self._long(self.system.model.derived(name, values, self.state.t))

    def _long(self, values: torch.Tensor) -> torch.Tensor:
        """Return values (M, size) as (1, M, length), shorter ones constant over blocks of indices."""
        repeat = self.space.length // values.shape[-1]
        return values.repeat_interleave(repeat, dim=-1)[None] if repeat > 1 else values[None]

    def _statistic(self, name: str) -> torch.Tensor:
        """Return mean or spread over the members of all ranks, the same for all. Collective."""
        base, end = next((name.removesuffix(e), e) for e in (MEAN, SPREAD) if name.endswith(e))
        x, count = self.tensor(base)[0], self.space.members.n_global
        if end == MEAN:
            total = self._total(x.sum(0)) / count
        else:
            total = (self._total(((x - self.tensor(base + MEAN)[0]) ** 2).sum(0)) / max(count - 1, 1)).sqrt()
        return total.expand(x.shape)[None]

    def _total(self, mine: torch.Tensor) -> torch.Tensor:
        """Return the sum over all ranks. Collective, differentiable."""
        found: torch.Tensor = Total.apply(mine, self.space.comm)
        return found

    def piece(self) -> Piece:
        """Return the lines of values that the members show."""
        found: Piece = next(iter(self.system.spaces.values())).piece()
        return found

    def growth_rate(self, after: float) -> float:
        """Return the mean growth rate of the tangent [1/s] since a time, over all members. Collective."""
        if self.state.t <= after:
            return float("nan")
        column = self.system.after.index(after)
        growth = self.system.values(self.state)[GROWTH][:, column]
        total: float = self.space.comm.allreduce(float(growth.sum()))
        return total / self.space.members.n_global / (self.state.t - after)

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return Σ f over the index, the mean over all members. Collective.

        Raises
        ------
        InputError
            If the part is a region or a boundary.
        """
        self._whole(part)
        return self.total(self.values(f).sum()) / self.space.members.n_global

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value of all members. Collective.

        Raises
        ------
        InputError
            If the part is a region or a boundary.
        """
        self._whole(part)
        return super().extremum(f, part, largest)

    def integrated(self, unit: str, part: Part, power: float = 1.0) -> str:
        """Return the unit itself: a sum over indices has no other."""
        return unit

    def _whole(self, part: Part) -> None:
        """Refuse a part of a body that does not exist."""
        name = part.boundary or part.region
        if name is not None:
            raise InputError(
                f"there is no {name!r}: a model without a mesh has neither boundaries nor regions"
            )

    def _named(self, name: str) -> np.ndarray:
        return to_host(self.tensor(name)).reshape(-1, 1)

    def _located(self, xs: np.ndarray) -> MemberPlaces:
        return MemberPlaces(self.space, xs)
