"""Expressions of all fields of a spectral run, integrated and searched on its grid.

The mean over the grid points is the trapezoidal rule of a periodic box: exact for every product of fields
whose modes the grid resolves. Everything is computed where the fields are; only results leave the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from mpi4py import MPI

from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.formulation.points import Values, View
from plexus.protocols import Array, Point, Sample


class GridSamples(Mapping[str, Sample]):
    """The fields of the present state at the own grid points, each computed when it is first read."""

    def __init__(self, run: Any):
        self.run = run

    def __getitem__(self, name: str) -> Sample:
        """Return the values (1, n) or (1, n, m) of a field; grid fields have no gradient here."""
        if name not in self.run.nodal.specs:
            raise KeyError(name)
        tensor = self.run.nodal.tensor(name, self.run.state).reshape(-1, self.run.system.points.n_owned)
        return Values(tensor if self.run.nodal.specs[name].shape == "scalar" else tensor.T[None])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of all fields."""
        return iter(self.run.nodal.specs)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self.run.nodal.specs)


class GridSampler:
    """Looks at the present state of a spectral run; the like of `plexus.formulation.sampler.Sampler`."""

    degree = 1

    def __init__(self, run: Any):
        self.space = run.system.points
        self.comm, self.grid = self.space.comm, self.space.mesh
        points = torch.from_numpy(self.space.points[: self.space.n_owned])
        self._x = points[None].to(run.system.device)
        self._places: dict[tuple[float, ...], Any] = {}

    def integrand(self, expression: Expression) -> Callable[[Point], Array]:
        """Return the expression of coordinates, time and fields as a function of a point."""
        return lambda p: expression(PointNames(p))

    def field(self, name: str) -> Callable[[Point], Array]:
        """Return a field or one of its components as a function of a point."""
        return lambda p: PointNames(p)[name]

    def integrate(self, run: Any, f: Callable[[Point], Array], part: Any, degree: int | None = None) -> float:
        """Return ∫ f over the box. Collective."""
        total = self.comm.allreduce(float(self._values(run, f).sum()))
        return total * self.grid.volume / self.grid.n_global_cells

    def extremum(self, run: Any, f: Callable[[Point], Array], part: Any, largest: bool) -> float:
        """Return the largest or smallest value at the grid points. Collective."""
        values = self._values(run, f)
        mine = float(values.max() if largest else values.min())
        # NaN compares as False: it must win, wherever it is
        lost = self.comm.allreduce(mine != mine, MPI.LOR)
        return float("nan") if lost else self.comm.allreduce(mine, MPI.MAX if largest else MPI.MIN)

    def locate(self, run: Any, at: tuple[float, ...]) -> Any:
        """Return a place in the box; found once.

        Raises
        ------
        InputError
            If it lies outside the box.
        """
        if at not in self._places:
            self._places[at] = run.system.places(np.array([at]))
        return self._places[at]

    def value(self, run: Any, expression: Expression, at: tuple[float, ...]) -> float:
        """Return an expression at one place, from the interpolated values of its fields. Collective."""
        place, samples = self.locate(run, at), {}
        known = run.nodal.specs
        for name in known:
            if any(n == name or n.rpartition("_")[0] == name for n in expression.names):
                value = place.evaluate(self.space, run.nodal.evaluate(name, run.state)[1])
                samples[name] = Values(value if known[name].shape == "scalar" else value[:, None, :])
        view = View(None, fields=samples, x=np.array([[at]]), t=run.state.t, dim=len(at))
        return float(np.asarray(expression(PointNames(view))).reshape(()))

    def _values(self, run: Any, f: Callable[[Point], Array]) -> torch.Tensor:
        """Return f at all own points, (1, n)."""
        point = View(None, fields=GridSamples(run), x=self._x, t=run.state.t, dim=self.grid.dim)
        value = torch.as_tensor(f(point), dtype=self._x.dtype, device=self._x.device)
        return torch.broadcast_to(value, (1, self.space.n_owned))
