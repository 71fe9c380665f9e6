"""Fields of a linear system by name: on the cells of its grid, else at the places of its blocks.

Cells without an unknown are shown, with u = 0, and have no part in integrals and extrema. ∫ f is the sum over
cells times their volume; without a grid the sum over blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.coupling.named import Evaluated, NamedFields
from plexus.deck.property import PointNames
from plexus.errors import InputError
from plexus.formulation.points import Values, View
from plexus.protocols import Integrand, Location, Places
from plexus.spaces.systems import CellOf, PointOf

if TYPE_CHECKING:
    from plexus.coupling.algebraic import AlgebraicSystem
    from plexus.deck.params import Expression
    from plexus.spaces.evaluate import Part


class SystemFields(NamedFields):
    """Evaluates names and functions of points on one linear system."""

    def __init__(self, system: AlgebraicSystem, constants: Mapping[str, float]):
        self.system, self.layout = system, system.form.layout
        derived = {spec.name: spec for spec in system.form.problem.shows}
        super().__init__(system.form.space.shown, {system.spec.name: system.spec}, derived, constants)

    def evaluate(self, name: str, internal: Location = "node") -> Evaluated:
        """Return specification, ``cell`` on a grid, else ``node``, and values (n, k). Collective."""
        spec, _, array = super().evaluate(name, internal)
        return spec, "cell" if self.layout.cells else "node", array

    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""
        return lambda p: PointNames(p)[name]

    def integrand(self, expression: Expression) -> Integrand:
        """Return the expression of coordinates, time and fields as a function of a point."""
        return lambda p: expression(PointNames(p))

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over the cells with an unknown, or Σ f over the blocks. Collective.

        Raises
        ------
        InputError
            If the part is a region or a boundary.
        """
        volume = self.space.mesh.volume / self.space.mesh.n_global_cells if self.layout.cells else 1.0
        return float(self.space.comm.allreduce(float(self._values(f, part).sum()))) * volume

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value where there is an unknown. Collective.

        Raises
        ------
        InputError
            If the part is a region or a boundary.
        """
        values = self._values(f, part) * (1.0 if largest else -1.0)
        lost = self.space.comm.allreduce(bool(np.isnan(values).any()), MPI.LOR)
        found = self.space.comm.allreduce(float(values.max(initial=-np.inf)), MPI.MAX)
        return float("nan") if lost else found * (1.0 if largest else -1.0)

    def integrated(self, unit: str, part: Part, power: float = 1.0) -> str:
        """Return the unit of an integral; a sum over blocks has no other."""
        return super().integrated(unit, part, power) if self.layout.cells else unit

    def _values(self, f: Integrand, part: Part) -> np.ndarray:
        """Return f where there is an unknown, (n,)."""
        name = part.boundary or part.region
        if name is not None:
            raise InputError(f"there is no {name!r}: a linear system has neither boundaries nor regions")
        value = np.broadcast_to(np.asarray(f(self._point), dtype=float), (1, self.space.n_owned))[0]
        return value if self._with is None else value[self._with]

    @cached_property
    def _with(self) -> np.ndarray | None:
        """Own cells with an unknown; None where there are no cells."""
        return self.layout.cell

    @property
    def _point(self) -> Any:
        """The own places with their fields, one cell of the form (1, n)."""
        members = {"x": self.space.points[None], "t": self.state.t, "dim": self.space.points.shape[1]}
        return View(None, fields=_Samples(self), **members)

    def _named(self, name: str) -> np.ndarray:
        if name in self.state.values:
            return self.system.form.space.spread(self.state.values[name])
        self.system.form.turn(self.state.t)
        found = self.system.form.system.fields[name]
        return found if found.ndim == 2 else found[:, None]

    def _located(self, xs: np.ndarray) -> Places:
        space = self.system.form.space
        return CellOf(space, xs) if self.layout.cells else PointOf(space, xs)


class _Samples(Mapping[str, Values]):
    """The fields at the own places, each computed when it is first read."""

    def __init__(self, fields: SystemFields):
        self.fields = fields

    def __getitem__(self, name: str) -> Values:
        """Return the values (1, n) or (1, n, m) of a field; these have no gradient."""
        if name not in self.fields.specs:
            raise KeyError(name)
        spec, _, array = self.fields.evaluate(name)
        return Values(array.T if spec.shape == "scalar" else array[None])

    def __iter__(self) -> Any:
        """Iterate over the names of all fields."""
        return iter(self.fields.specs)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self.fields.specs)
