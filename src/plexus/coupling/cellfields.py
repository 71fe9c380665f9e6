"""Fields of a state on the cells of a grid: on the device for quantities, as rows of cells for outputs.

Every value stands for its cell: integrals are sums of means times volumes, exact for the unknowns themselves
and of second order for other functions. Of an ensemble the mean over its members is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from mpi4py import MPI

from plexus.coupling.named import Evaluated, NamedFields
from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.devices.tensors import rows_of
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.formulation.points import Values, View
from plexus.protocols import Integrand, Location, Sample
from plexus.spaces.cells import CellPlaces

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.spaces.evaluate import Part


class CellSamples(Mapping[str, Sample]):
    """The fields of the own cells, each computed when it is first read."""

    def __init__(self, fields: CellFields):
        self.fields = fields

    def __getitem__(self, name: str) -> Sample:
        """Return the values (1, n) or (1, n, m) of a field; cells have no gradient here."""
        if name not in self.fields.specs:
            raise KeyError(name)
        tensor = self.fields.tensor(name)
        return Values(tensor[:1] if self.fields.specs[name].shape == "scalar" else tensor.T[None])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of all fields."""
        return iter(self.fields.specs)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self.fields.specs)


class CellFields(NamedFields):
    """Evaluates names and functions of points on the cells of a grid; a field is computed once per state."""

    def __init__(self, system: VolumeSystem, constants: Mapping[str, float]):
        self.system = system
        self._tensors: dict[str, torch.Tensor] = {}
        shown = {spec.name: spec for spec in system.scheme.specs}
        super().__init__(system.cells, shown, {}, constants)

    def look(self, state: State) -> None:
        """Turn to a state and forget what belongs to another one."""
        if state is not self._state:
            self._tensors = {}
        super().look(state)

    def tensor(self, name: str) -> torch.Tensor:
        """Return a field of `specs` on the device, (m, n), the mean over an ensemble."""
        if name not in self._tensors:
            u = self.state.values[name]
            mean = u[0] if len(u) == 1 else u.mean(0)
            self._tensors[name] = mean.reshape(mean.shape[0], -1)
        return self._tensors[name]

    def evaluate(self, name: str, internal: Location = "node") -> Evaluated:
        """Return specification, ``cell`` and values (n, k) of a field or expression. Collective."""
        spec, _, array = super().evaluate(name, internal)
        return spec, "cell", array

    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""
        return lambda p: PointNames(p)[name]

    def integrand(self, expression: Expression) -> Integrand:
        """Return the expression of coordinates, time and fields as a function of a point."""
        return lambda p: expression(PointNames(p))

    def integrate(self, f: Integrand, part: Part, degree: int | None = None) -> float:
        """Return ∫ f over the box or a region. Collective."""
        values = self._values(f) * self._mask(part)
        total = self.space.comm.allreduce(float(values.sum()))
        return float(total * self.space.mesh.volume / self.space.mesh.n_global_cells)

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value of the cells of a part. Collective.

        Raises
        ------
        InputError
            If the part has no cell.
        """
        values, comm = self._values(f)[self._mask(part)], self.space.comm
        if not comm.allreduce(values.numel()):
            raise InputError(f"region {part.region}: no cell lies in it")
        mine = float("-inf" if largest else "inf")
        if values.numel():
            mine = float(values.max() if largest else values.min())
        # NaN compares as False: it must win, wherever it is
        lost = comm.allreduce(mine != mine, MPI.LOR)
        return float("nan") if lost else float(comm.allreduce(mine, MPI.MAX if largest else MPI.MIN))

    @cached_property
    def _x(self) -> torch.Tensor:
        """Centres of the own cells on the device, (1, n, d)."""
        return torch.from_numpy(self.space.points)[None].to(self.system.device)

    def _mask(self, part: Part) -> torch.Tensor:
        """Return which own cells belong to a part, (1, n)."""
        if part.boundary is not None:
            raise InputError(
                f"{part.boundary}: cells of a grid have no values on sides; integrate over regions"
            )
        every = torch.ones(self._x.shape[:2], dtype=torch.bool, device=self._x.device)
        if part.region is None:
            return every
        at = dict(zip("xyz", self._x.unbind(-1), strict=False))
        return every & (torch.as_tensor(self.space.mesh.regions[part.region](at)) != 0)

    def _values(self, f: Integrand) -> torch.Tensor:
        """Return f in all own cells, (1, n)."""
        dim = self.space.mesh.dim
        point = View(None, fields=CellSamples(self), x=self._x, t=self.state.t, dim=dim)
        value = torch.as_tensor(f(point), dtype=self._x.dtype, device=self._x.device)
        return torch.broadcast_to(value, (1, self.space.n_owned))

    def _named(self, name: str) -> np.ndarray:
        return rows_of(self.tensor(name), self.space.n_owned)

    def _located(self, xs: np.ndarray) -> CellPlaces:
        return CellPlaces(self.space.mesh, xs)
