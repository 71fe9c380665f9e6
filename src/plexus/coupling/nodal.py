"""Fields of a state on elements: at the nodes, integrated over parts of the mesh, through its boundaries.

Derived fields are computed at the points of an integral, and recovered at the nodes from the cells around
each, those of every material on their own (`plexus.spaces.materials`). Internal variables are known at the
quadrature points of the forms; elsewhere they are recovered from there (`plexus.spaces.quadrature_space`).
Where a model has some, integrals over cells use that rule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from plexus.coupling.named import NamedFields
from plexus.coupling.sampling import derived_fields, with_derived
from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.errors import InputError
from plexus.mesh.turned import turned
from plexus.protocols import Array, Integrand, Location, Point
from plexus.protocols.facets import Facets
from plexus.protocols.fields import reads
from plexus.spaces.evaluate import Evaluator, Part
from plexus.spaces.locate import Located
from plexus.spaces.materials import MaterialNodes, meet
from plexus.spaces.names import crosses, require_cells, require_facets
from plexus.spaces.quadrature_space import quadrature_space
from plexus.spaces.search import around

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.spaces.lagrange import Space
    from plexus.spaces.points import Room


SHARED = 1e-6
"""Part of a node's force beyond rounding that other supports bear."""


@dataclass(frozen=True)
class Reading:
    """A function of a point that reads fields by name."""

    names: frozenset[str]
    value: Integrand
    of: Expression | str
    """The expression, or the name of the field."""

    def __call__(self, p: Point) -> Array:
        """Return the value at the points."""
        return self.value(p)

    def reads(self, fields: Collection[str]) -> bool:
        """Return whether it reads one of these fields, or a component of one."""
        return reads(self.names, fields)


class NodalFields(NamedFields):
    """Evaluates names on the nodes that all unknowns share, and functions of points on the cells.

    The flows through boundaries make it one of `plexus.protocols.Balances`, too.
    """

    def __init__(self, system: System, constants: Mapping[str, float]):
        space = next(iter(system.spaces.values())).with_components(1)
        self.system = system
        self.evaluator = Evaluator(space.mesh)
        self.derived = derived_fields(system.equations)
        # all equations of a model share the section, hence the factor on dx
        self._measure = system.equations[0].measure
        unknowns = {spec.name: spec for e in system.equations for spec in e.fields}
        derived = {name: d.spec for name, d in self.derived.items() if name not in unknowns}
        internal = {spec.name: spec for specs in system.internal.values() for spec in specs}
        # what reads memory lives where the memory does
        self._at_points = {
            name: quadrature_space(space, d.spec, system.forms[e.field.name].degree)
            for e in system.equations
            for name, d in derived_fields([e]).items()
            if d.stored
        }
        self._shares: dict[tuple[str, Facets], tuple[np.ndarray, np.ndarray]] = {}
        others = derived | internal | system.controls.specs
        super().__init__(_shown(space, system.materials), unknowns, others, constants)

    @property
    def arrays(self) -> dict[str, tuple[Room, np.ndarray]]:
        """Space and values of every control, unknown and internal variable."""
        controls = self.system.controls
        known: dict[str, tuple[Room, np.ndarray]] = {
            name: (controls.members[name], a) for name, a in controls.values.items()
        }
        known |= {name: (self.system.spaces[name], a) for name, a in self.state.values.items()}
        return known | {name: (self.system.points[name], a) for name, a in self.state.internal.items()}

    def _given(self, f: Integrand) -> dict[str, tuple[Room, np.ndarray]]:
        """Return `arrays`, and what a function reads of the derived fields that live with the memory."""
        names = [name for name in self._at_points if isinstance(f, Reading) and f.reads({name})]
        return self.arrays | {name: (self._at_points[name], self._rows(name)) for name in names}

    def _rows(self, name: str) -> np.ndarray:
        """Return a derived field at the points of all local cells, (n_local, m)."""
        return self.evaluate(name, "point")[2]

    def stored(self, name: str) -> tuple[tuple[float, ...], ...]:
        """Return the points in the reference cell at which memory, or what reads it, is known."""
        known = self.system.points | self._at_points
        space = known.get(name) or known.get(name.rpartition("_")[0])
        return () if space is None else tuple(map(tuple, space.rule.points.tolist()))

    def field(self, name: str) -> Integrand:
        """Return a field, unknown or derived, or one of its components, as a function of a point."""
        return Reading(frozenset({name}), lambda p: PointNames(with_derived(p, self.derived))[name], name)

    def integrand(self, expression: Expression) -> Integrand:
        """Return the expression of coordinates, time and fields as a function of a point."""
        names = frozenset(expression.names)
        return Reading(names, lambda p: expression(PointNames(with_derived(p, self.derived))), expression)

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over a part, with the factor 2πr or the thickness of the physics. Collective."""
        # exact for products of two fields and a quadratic coefficient, or where the memory is known
        usual = [2 * self.degree + 2] if part.boundary else [p.degree for p in self.system.points.values()]
        degree = max(usual, default=2 * self.degree + 2) if degree is None else degree
        measure = None if bare else self._measure
        found: float = self.evaluator.integrate(f, self.state.t, self._given(f), part, degree, measure)
        return found

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the nodes of the cells of a part. Collective.

        What depends on internal variables is looked at where these are known: recovered at nodes it could
        pass every bound that they keep.
        """
        known = self.system.points | self._at_points
        stored = part.boundary is None and isinstance(f, Reading) and f.reads(known)
        degree = max(p.degree for p in known.values()) if stored else self.degree
        found = self.evaluator.extremum(f, self.state.t, self._given(f), part, largest, degree, not stored)
        return found.value

    def jumps(self, names: Collection[str], xs: np.ndarray) -> np.ndarray:
        """Return numbers of positions (k, d) where what reads these names has several values. Collective."""
        inner = set(self.specs) - set(self.system.spaces)
        if not isinstance(self.space, MaterialNodes) or not reads(names, inner):
            return np.empty(0, dtype=np.int64)
        return meet(self.space.mesh, self.system.materials, *around(self.space.mesh, xs))

    def _sided(self, f: Integrand | None, crossing: bool) -> bool:
        """Return whether a function may differ between cells that meet, or where a cut lies between them."""
        # unknowns are continuous but for cuts, what is derived from them or kept in cells is not
        inner = set(self.specs) - (set() if crossing else set(self.system.spaces))
        return f is None or (isinstance(f, Reading) and f.reads(inner))

    def require(self, part: Part, f: Integrand | None, outer: bool = False) -> None:
        """Refuse a part without cells or facets, or whose facets have two sides that differ. Collective.

        Raises
        ------
        InputError
            If the part is none, or if no side of facets inside the body is named.
        """
        mesh = self.space.mesh
        if part.boundary is None:
            require_cells(mesh, part.region)
            return
        where = Facets.of(part.boundary)
        require_facets(mesh, where, self._sided(f, crosses(mesh, where)), part.region, outer)

    def outflow(self, flux: str, boundary: Facets) -> float:
        """Return what boundary terms let out of the body through a boundary. Collective.

        Raises
        ------
        InputError
            If no equation has this flux, or if its unknown is prescribed on a part of the boundary.
        """
        from plexus.coupling import exchange

        return exchange.outflow(self, flux, boundary)

    def reaction(self, name: str, boundary: Facets, component: int = 0) -> float:
        """Return what the prescribed values of an unknown on a boundary feed into the body. Collective.

        Raises
        ------
        InputError
            If the name is no unknown, or if it has no such component.
        """
        from plexus.coupling import exchange

        return exchange.reaction(self, name, boundary, component)

    def share(self, name: str, boundary: Facets) -> tuple[np.ndarray, np.ndarray]:
        """Return own nodes (k,) and the part W (k, m, m) of a boundary in what holds them. Collective."""
        from plexus.spaces.corners import shares

        key = name, boundary
        if key not in self._shares:
            self._shares[key] = shares(
                self.system.spaces[name], boundary, self.system.prescribed[name].supports()
            )
        return self._shares[key]

    def kink(self, name: str, boundary: Facets) -> float:
        """Return the least angle [rad] of a boundary with other supports, π/2 without any. Collective."""
        inclined, found = self.system.prescribed[name].inclined, [np.pi / 2]
        if inclined is not None:
            nodes, part = self.share(name, boundary)
            # what bears a node alone shares nothing
            shared = nodes[np.abs(part - np.eye(part.shape[1])).max(axis=(1, 2), initial=0.0) > SHARED]
            found += inclined.kinks[np.isin(inclined.nodes, shared)].tolist()
        return min(self.space.comm.allgather(min(found)))

    def flux_unit(self, name: str) -> str:
        """Return the unit of what an unknown's balance exchanges per area; empty where it is not known."""
        return next(e.flux_unit for e in self.system.equations if name in [s.name for s in e.fields])

    def _named(self, name: str) -> np.ndarray:
        """Return an unknown as it is; recover a derived field."""
        if name in self.state.values:
            found = self.state.values[name]
            return found[self.space.node] if isinstance(self.space, MaterialNodes) else found
        if name in self.system.controls.members:
            return self.evaluator.at_nodes(self.field(name), self.state.t, self.arrays, self.space)
        if self.derived[name].spec.shape != "scalar" and self._turned:
            raise InputError(
                f"{name} has two directions at nodes of sides that are periodic by a rotation: ask for "
                "scalars there, or for integrals and means"
            )
        formula = self.derived[name].formula
        return self.evaluator.at_nodes(formula, self.state.t, self.arrays, self.space)

    @cached_property
    def _turned(self) -> bool:
        """Whether sides are periodic by a rotation. Collective at the first access."""
        return turned(self.space.mesh)

    def _stored(self, name: str, internal: Location) -> tuple[Location, np.ndarray] | None:
        if name in self._at_points:
            points = self._at_points[name]
            if internal == "point":
                formula = self.derived[name].formula
                return internal, self.evaluator.at_points(formula, self.state.t, self.arrays, points)
            rows = self._rows(name)
        elif name in self.state.internal:
            points, rows = self.system.points[name], self.state.internal[name]
        else:
            return None
        views = {
            "node": lambda rows: points.recovered(rows, self.space),
            "cell": points.cell_means,
            "point": lambda rows: rows,
        }
        return internal, views[internal](rows)

    def _located(self, xs: np.ndarray) -> Located:
        return Located(self.space.mesh, xs)

    def _has_thickness(self) -> bool:
        return self._measure(np.ones((1, 1, self.space.mesh.dim))) is not None


def _shown(space: Space, regions: Sequence[str]) -> Space | MaterialNodes:
    """Return the nodes at which fields are shown: once per material around each. Collective."""
    nodes = MaterialNodes(space, regions) if regions else None
    return nodes if nodes is not None and nodes.several else space
