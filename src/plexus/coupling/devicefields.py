"""Fields of which each rank holds a tensor on its device: functions of points evaluated where the fields are.

Only results leave the device.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from mpi4py import MPI

from plexus.coupling.named import NamedFields
from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.fields.state import State
from plexus.formulation.points import Values, View
from plexus.protocols import FieldSpec, Integrand, Sample
from plexus.protocols.controls import Dependent
from plexus.protocols.fields import MEAN
from plexus.spaces.controls import Sampled

if TYPE_CHECKING:
    from plexus.spaces.evaluate import Part


class DeviceSamples(Mapping[str, Sample]):
    """The fields at the own points, each computed when it is first read."""

    def __init__(self, fields: DeviceFields):
        self.fields = fields

    def __getitem__(self, name: str) -> Sample:
        """Return the values (1, n) or (1, n, m) of a field; these fields have no gradient here."""
        if name not in self.fields.specs:
            raise KeyError(name)
        tensor = self.fields.tensor(name)
        rows = tensor.reshape(len(tensor), self.fields.space.n_owned)
        return Values(rows if self.fields.specs[name].shape == "scalar" else rows.T[None])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of all fields."""
        return iter(self.fields.specs)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self.fields.specs)


def over_members(u: torch.Tensor, end: str) -> torch.Tensor:
    """Return mean or spread over members of fields (N, m, *shape), as the ``end`` of a name says."""
    if end == MEAN:
        return u.mean(0)
    return u.std(0) if len(u) > 1 else 0 * u[0]


class DeviceFields(NamedFields):
    """Evaluates functions of points on the own points of a rank; a field is computed once per state.

    Parameters
    ----------
    device
        Where the tensors are, the others as for `NamedFields`.
    dim
        Number of coordinates of a point.
    given, specs
        Controls as samples, and what they are.
    """

    def __init__(
        self,
        space: Any,
        shown: Mapping[str, FieldSpec],
        derived: Mapping[str, FieldSpec],
        constants: Mapping[str, float],
        device: str,
        dim: int,
        given: Sampled,
        specs: Mapping[str, FieldSpec],
    ):
        self.device, self.dim, self.given = device, dim, given
        self._tensors: dict[str, torch.Tensor] = {}
        super().__init__(space, shown, {**derived, **specs}, constants)

    @abstractmethod
    def _computed(self, name: str) -> torch.Tensor:
        """Return a field of the model on the device, real (m, *shape). Collective."""

    @abstractmethod
    def window(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values (1, n) of a control at the own points."""

    def _control(self, name: str) -> torch.Tensor:
        """Return a control at the own points, (1, n)."""
        sample = self.given.at(self._point)[name]
        value = sample.at(self._point) if isinstance(sample, Dependent) else sample.value
        return torch.as_tensor(value).broadcast_to(1, self.space.n_owned)

    def look(self, state: State) -> None:
        """Turn to a state and forget what belongs to another one."""
        if state is not self._state:
            self._tensors = {}
        super().look(state)

    def tensor(self, name: str) -> torch.Tensor:
        """Return a field of `specs` on the device, (m, *shape), real. Collective."""
        if name not in self._tensors:
            made = self._control if name in self.given.members else self._computed
            self._tensors[name] = made(name)
        return self._tensors[name]

    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""
        return lambda p: PointNames(p)[name]

    def integrand(self, expression: Expression) -> Integrand:
        """Return the expression of coordinates, time and fields as a function of a point."""
        return lambda p: expression(PointNames(p))

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the points. Collective."""
        values, comm = self.values(f), self.space.comm
        sign = 1.0 if largest else -1.0
        mine = float((sign * values).max()) if values.numel() else -float("inf")
        # NaN compares as False: it must win, wherever it is
        lost = comm.allreduce(mine != mine, MPI.LOR)
        return float("nan") if lost else sign * float(comm.allreduce(mine, MPI.MAX))

    @cached_property
    def _x(self) -> torch.Tensor:
        """Coordinates of the own points on the device, (1, n, d)."""
        points = torch.from_numpy(self.space.points[: self.space.n_owned])
        return points[None].to(self.device)

    @property
    def _point(self) -> View:
        """The own points with their fields."""
        members = {"x": self._x, "t": self.state.t, "dim": self.dim, "window": self.window}
        return View(None, fields=DeviceSamples(self), **members)

    def total(self, mine: torch.Tensor) -> float:
        """Return the sum of a number over the ranks. Collective."""
        found: float = self.space.comm.allreduce(float(mine))
        return found

    def values(self, f: Integrand) -> torch.Tensor:
        """Return f at all own points, (1, n)."""
        value = torch.as_tensor(f(self._point), dtype=self._x.dtype, device=self._x.device)
        return torch.broadcast_to(value, (1, self.space.n_owned))
