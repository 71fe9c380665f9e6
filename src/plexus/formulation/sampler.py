"""Expressions of all fields of a run, evaluated, integrated and searched on its mesh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.formulation.points import Values, View
from plexus.formulation.sampling import derived_fields, with_derived
from plexus.protocols import Array, Point
from plexus.spaces.evaluate import Evaluator, Part
from plexus.spaces.locate import Located

if TYPE_CHECKING:
    from plexus.spaces.lagrange import Space

# weak: a sampler and its cell lists go when their run goes
_samplers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def sampler(run: Any) -> Any:
    """Return the sampler that all quantities of a run share: a `Sampler`, or the like of a grid."""
    if run not in _samplers:
        _samplers[run] = run.system.sampler(run)
    return _samplers[run]


class Sampler:
    """Looks at the present state of a run.

    Parameters
    ----------
    run : Run
        Its mesh, spaces, equations and state are read.
    """

    def __init__(self, run: Any):
        self.evaluator = Evaluator(run.mesh)
        self.derived = derived_fields(run.system.equations)
        self.degree: int = run.deck.physics.degree
        # all equations of a model share the section, hence the factor on dx
        self._measure = run.system.equations[0].measure
        self._spaces: Mapping[str, Space] = run.system.spaces
        self._located: dict[tuple[float, ...], Located] = {}

    def fields(self, run: Any) -> dict[str, tuple[Space, np.ndarray]]:
        """Return space and present nodal values of every unknown."""
        return {name: (self._spaces[name], array) for name, array in run.state.values.items()}

    def integrand(self, expression: Expression) -> Callable[[Point], Array]:
        """Return the expression of coordinates, time and fields as a function of a point."""
        return lambda p: expression(PointNames(with_derived(p, self.derived)))

    def field(self, name: str) -> Callable[[Point], Array]:
        """Return a field, unknown or derived, or one of its components, as a function of a point."""
        return lambda p: PointNames(with_derived(p, self.derived))[name]

    def integrate(self, run: Any, f: Callable[[Point], Array], part: Part, degree: int | None = None) -> Any:
        """Return ∫ f over a part, with the factor 2πr or the thickness of the physics. Collective."""
        # exact for products of two fields and a quadratic coefficient
        degree = 2 * self.degree + 2 if degree is None else degree
        return self.evaluator.integrate(f, run.state.t, self.fields(run), part, degree, self._measure)

    def extremum(self, run: Any, f: Callable[[Point], Array], part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the nodes of the cells of a part. Collective."""
        found = self.evaluator.extremum(f, run.state.t, self.fields(run), part, largest, self.degree)
        return found.value

    def locate(self, run: Any, at: tuple[float, ...]) -> Located:
        """Return the cell that holds a place; found once. Collective.

        Raises
        ------
        InputError
            If the place lies outside the mesh.
        """
        if at not in self._located:
            self._located[at] = Located(run.mesh, np.array([at]))
        return self._located[at]

    def value(self, run: Any, expression: Expression, at: tuple[float, ...]) -> float:
        """Return an expression at one place, derived fields recovered at the nodes first. Collective."""
        located, fields = self.locate(run, at), self.fields(run)
        samples = {}
        for name in self._used(expression):
            # derived fields jump between cells: recovery gives one value that no partition changes
            if name in self.derived:
                space = next(iter(self._spaces.values()))
                nodal = self.evaluator.at_nodes(self.derived[name].formula, run.state.t, fields, space)
            else:
                space, nodal = fields[name]
            value = located.evaluate(space, nodal)
            # (1, m) of one place to the (C, Q[, m]) of a batch with one cell and one point
            samples[name] = Values(value if value.shape[1] == 1 else value[:, None, :])
        view = View(None, fields=samples, x=np.array([[at]]), t=run.state.t, dim=len(at))
        return float(np.asarray(expression(PointNames(view))).reshape(()))

    def _used(self, expression: Expression) -> list[str]:
        """Return the fields that an expression reads, by name or by component."""
        # stress_xy reads stress; von_mises is a field itself
        known = [*self._spaces, *self.derived]
        return [f for f in known if any(n == f or n.rpartition("_")[0] == f for n in expression.names)]
