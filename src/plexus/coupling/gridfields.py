"""Fields of a spectral state at its grid points: on the device for quantities, as rows for outputs.

The mean over the grid points is the trapezoidal rule of a periodic box: exact for every product of fields
whose modes the grid resolves. Everything is computed where the fields are; only results leave the device.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from mpi4py import MPI

from plexus.coupling.named import AXES, NamedFields
from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.devices.tensors import rows_of
from plexus.fields.state import State
from plexus.formulation.points import Values, View
from plexus.protocols import Integrand, Sample
from plexus.spaces import statistics
from plexus.spaces.grid import GridPlaces

if TYPE_CHECKING:
    from plexus.coupling.spectral import SpectralSystem
    from plexus.spaces.evaluate import Part


class GridSamples(Mapping[str, Sample]):
    """The fields at the own grid points, each computed when it is first read."""

    def __init__(self, fields: GridFields):
        self.fields = fields

    def __getitem__(self, name: str) -> Sample:
        """Return the values (1, n) or (1, n, m) of a field; grid fields have no gradient here."""
        if name not in self.fields.specs:
            raise KeyError(name)
        tensor = self.fields.tensor(name).reshape(-1, self.fields.space.n_owned)
        return Values(tensor if self.fields.specs[name].shape == "scalar" else tensor.T[None])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of all fields."""
        return iter(self.fields.specs)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self.fields.specs)


class GridFields(NamedFields):
    """Evaluates names and functions of points on the points of a grid; a field is computed once per state.

    The spectra make it one of `plexus.protocols.Spectra`, too.
    """

    def __init__(self, system: SpectralSystem, constants: Mapping[str, float]):
        self.system = system
        self._tensors: dict[str, torch.Tensor] = {}
        super().__init__(system.points, system.shown, system.derived, constants)

    def look(self, state: State) -> None:
        """Turn to a state and forget what belongs to another one."""
        if state is not self._state:
            self._tensors = {}
        super().look(state)

    def tensor(self, name: str) -> torch.Tensor:
        """Return a field of `specs` on the device, (m, *shape), real. Collective."""
        if name not in self._tensors:
            model, state = self.system.model, self.state
            self._tensors[name] = model.derived(name, state.values[model.unknown], state.t)
        return self._tensors[name]

    def part(self, name: str) -> torch.Tensor:
        """Return a field or one component of a vector or tensor on the device, (m, *shape). Collective."""
        if name in self.specs:
            return self.tensor(name)
        base, _, letters = name.rpartition("_")
        column = 0
        for letter in letters:
            column = self.space.mesh.dim * column + AXES.index(letter)
        return self.tensor(base)[column : column + 1]

    def spectrum(self, name: str) -> np.ndarray:
        """Return the power of a field or component in the complete shells κ = 0, 1, ... Collective."""
        space, grid = self.system.model.space.sibling(real=True), self.space.mesh
        power = statistics.spectrum(space, space.forward(self.part(name))).sum(0)
        complete = min(n * max(grid.size) / (2 * s) for n, s in zip(grid.cells, grid.size, strict=True))
        return power[: math.floor(complete + 1e-9) + 1].numpy()

    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""
        return lambda p: PointNames(p)[name]

    def integrand(self, expression: Expression) -> Integrand:
        """Return the expression of coordinates, time and fields as a function of a point."""
        return lambda p: expression(PointNames(p))

    def integrate(self, f: Integrand, part: Part, degree: int | None = None) -> float:
        """Return ∫ f over the box. Collective."""
        total = self.space.comm.allreduce(float(self._values(f).sum()))
        return float(total * self.space.mesh.volume / self.space.mesh.n_global_cells)

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the grid points. Collective."""
        values, comm = self._values(f), self.space.comm
        mine = float(values.max() if largest else values.min())
        # NaN compares as False: it must win, wherever it is
        lost = comm.allreduce(mine != mine, MPI.LOR)
        return float("nan") if lost else float(comm.allreduce(mine, MPI.MAX if largest else MPI.MIN))

    @cached_property
    def _x(self) -> torch.Tensor:
        """Coordinates of the own points on the device, (1, n, d)."""
        points = torch.from_numpy(self.space.points[: self.space.n_owned])
        return points[None].to(self.system.device)

    def _values(self, f: Integrand) -> torch.Tensor:
        """Return f at all own points, (1, n)."""
        dim = self.space.mesh.dim
        point = View(None, fields=GridSamples(self), x=self._x, t=self.state.t, dim=dim)
        value = torch.as_tensor(f(point), dtype=self._x.dtype, device=self._x.device)
        return torch.broadcast_to(value, (1, self.space.n_owned))

    def _named(self, name: str) -> np.ndarray:
        return self.space.with_ghosts(rows_of(self.tensor(name), self.space.n_owned))

    def _located(self, xs: np.ndarray) -> GridPlaces:
        return GridPlaces(self.space.mesh, xs)
