"""Numbers and nodal fields computed from finite element fields: integrals, extrema, recovery, errors.

Integrands are functions of a `plexus.protocols.Point`, as equations are. Every cell is visited by the rank
that owns it, so that sums over ranks count it once; results are equal on all ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.devices.bridge import Bridge
from plexus.errors import InputError
from plexus.mesh.element import element
from plexus.mesh.mesh import Mesh
from plexus.protocols import Point
from plexus.protocols.facets import Facets
from plexus.spaces.facets import FacetSet, facet_sets, two_sided
from plexus.spaces.lagrange import Space
from plexus.spaces.materials import MaterialNodes
from plexus.spaces.names import boundary_facets, region_cells
from plexus.spaces.points import CellSet, PointBatch, Room, Values, batches
from plexus.spaces.quadrature_space import QuadratureSpace
from plexus.spaces.rule import Rule, cell_rule, node_rule
from plexus.spaces.sides import same, seen_from

Array = Any
Fields = Mapping[str, tuple[Room, np.ndarray]]
Integrand = Callable[[Point], Array]
Measure = Callable[[Array], Array | None]
_Set = tuple[CellSet, Rule, tuple[CellSet, Rule] | None]
SIZE = 4096
"""Cells per batch."""


@dataclass(frozen=True)
class Part:
    """Where to evaluate: the whole mesh, a named region, facets, or what these share with others.

    With a region, facets are those of its cells, seen from there. ``across``: their points know both sides.
    """

    region: str | None = None
    boundary: str | Facets | None = None
    within: str | Facets | None = None
    across: bool = False


WHOLE = Part()


@dataclass(frozen=True)
class Extremum:
    """An extreme value and where it is taken, (d,) [m]."""

    value: float
    at: np.ndarray


class Evaluator:
    """Evaluates integrands on a mesh; keeps the cell lists of the parts that were asked for.

    ``fields`` arguments map names to (space, field array with ghosts filled); ``t`` is the time [s].
    """

    def __init__(self, mesh: Mesh):
        self.mesh, self.bridge = mesh, Bridge()
        self._lists: dict[str | None, CellSet] = {}
        self._sets: dict[tuple[Part, int, bool], list[_Set]] = {}

    def batches(
        self, part: Part, degree: int, t: float, fields: Fields, nodal: bool = False
    ) -> Iterator[PointBatch]:
        """Yield the owned cells or facets of a part at the points of a rule of exact ``degree``.

        With ``nodal`` the points are the Lagrange nodes of that degree instead.

        Raises
        ------
        InputError
            If the mesh has no such region or boundary.
        """
        key = part, degree, nodal
        if key not in self._sets:
            self._sets[key] = list(self._facets(*key) if part.boundary else self._cells(*key))
        for cells, rule, behind in self._sets[key]:
            yield from batches(cells, rule, SIZE, t, Values.present(fields), behind)

    @cached_property
    def _every_cell(self) -> CellSet:
        """All local cells."""
        return CellSet(self.mesh, self.bridge)

    def _cells(self, part: Part, degree: int, nodal: bool) -> Iterator[_Set]:
        mesh = self.mesh
        if part.region not in self._lists:
            chosen: Any = slice(mesh.n_owned_cells)
            if part.region is not None:
                chosen = region_cells(mesh, part.region)
                chosen = chosen[chosen < mesh.n_owned_cells]
            self._lists[part.region] = CellSet(mesh, self.bridge, chosen)
        yield self._lists[part.region], node_rule(mesh, degree) if nodal else cell_rule(mesh, degree), None

    def _facets(self, part: Part, degree: int, nodal: bool) -> Iterator[_Set]:
        mesh = self.mesh
        assert part.boundary is not None
        pairs = boundary_facets(mesh, part.boundary)
        if part.region is not None:
            pairs = seen_from(mesh, pairs, region_cells(mesh, part.region))
        if part.within is not None:
            pairs = pairs[same(pairs, boundary_facets(mesh, part.within))]
        owned = np.arange(mesh.n_cells) < mesh.n_owned_cells
        for facets in (two_sided if part.across else facet_sets)(mesh, pairs, degree, self.bridge, owned):
            rule = facet_node_rule(mesh, facets, degree) if nodal else facets.rule
            yield facets.cells, rule, facets.other

    def integrate(
        self,
        f: Integrand,
        t: float,
        fields: Fields,
        part: Part = WHOLE,
        degree: int = 4,
        measure: Measure | None = None,
    ) -> Any:
        """Return ∫ f dx (or ds) over a part: a number, or an array if f is (C, Q, …). Collective.

        ``measure`` is an equation's factor on dx, e.g. 2πr.
        """
        total: Any = 0.0
        for p in self.batches(part, degree, t, fields):
            w = p.jxw
            factor = None if measure is None else measure(p.x)
            if factor is not None:
                w = w * factor
            value = np.asarray(f(p), dtype=float)
            total = total + np.tensordot(w, np.broadcast_to(value, (*w.shape, *value.shape[2:])), axes=2)
        total = self.mesh.comm.allreduce(total)
        return float(total) if np.ndim(total) == 0 else total

    def extremum(
        self,
        f: Integrand,
        t: float,
        fields: Fields,
        part: Part = WHOLE,
        largest: bool = True,
        degree: int = 2,
        nodal: bool = True,
    ) -> Extremum:
        """Return the extreme value of a scalar f at the nodes (of ``degree``) of all cells. Collective.

        Without ``nodal`` the points are those of a rule of this exact degree. A value that is not a number
        counts as extreme.

        Raises
        ------
        InputError
            If the part has no cell or facet.
        """
        sign = 1.0 if largest else -1.0
        best, at = -np.inf, None
        for p in self.batches(part, degree, t, fields, nodal):
            value = sign * np.broadcast_to(np.asarray(f(p), dtype=float), p.shape)
            k = np.unravel_index(np.argmax(value), p.shape)
            if at is None or not (np.isnan(best) or value[k] <= best):
                best, at = float(value[k]), (p, k)
        here = None if at is None else at[0].alone(int(at[1][0])).x[0, at[1][1]]
        found = [(b, x) for b, x in self.mesh.comm.allgather((best, here)) if x is not None]
        if not found:
            raise InputError(f"no cell or facet to search in: {part}")
        value, place = found[int(np.argmax([b for b, _ in found]))]
        return Extremum(sign * value, place)

    def at_points(self, f: Integrand, t: float, fields: Fields, points: QuadratureSpace) -> np.ndarray:
        """Return f at the quadrature points of all local cells, rows (n_local, m)."""
        rows = points.zeros()
        for p in batches(self._every_cell, points.rule, SIZE, t, Values.present(fields)):
            value = np.asarray(f(p), dtype=float)
            points.by_cell(rows)[p.part] = value.reshape(*p.shape, -1)
        return rows

    def at_nodes(self, f: Integrand, t: float, fields: Fields, space: Space | MaterialNodes) -> np.ndarray:
        """Return f recovered at the nodes of ``space``, (n_local, k). Collective.

        Each cell is evaluated at its own nodes; a node takes the average over its cells, ghost cells
        included, weighted with |det J| at the node, so that the result does not depend on the partition.
        """
        rule = node_rule(self.mesh, space.degree)
        cells, tables = CellSet(self.mesh, self.bridge), rule.tables(space.element)
        total: np.ndarray | None = None
        weight = np.zeros((space.n_local, 1))
        for p in batches(cells, rule, SIZE, t, Values.present(fields)):
            value = np.asarray(f(p), dtype=float)
            value = np.ascontiguousarray(value.reshape(*value.shape[:2], -1))
            if total is None:
                total = np.zeros((space.n_local, value.shape[2]))
            # φ_i is one at its node and zero at the others: ∫ f φ_i by this rule is w |det J| f at node i
            here = cells.points, cells.cells[p.part], tables, space.cell_nodes[p.part]
            self.bridge.kernels.vector(*here, value, None, None, total)
            self.bridge.kernels.vector(*here, np.ones((1, 1, 1)), None, None, weight)
        width = self.mesh.comm.allreduce(0 if total is None else total.shape[1], MPI.MAX)
        result = np.zeros((space.n_local, width)) if total is None else total / weight
        space.halo.forward(result)
        return result


def facet_node_rule(mesh: Mesh, facets: FacetSet, degree: int) -> Rule:
    """Return the Lagrange nodes of ``degree`` on one facet of the reference cell."""
    shape = element(mesh.cell, degree)
    nodes = shape.nodes[shape.facet_nodes[facets.facet]]
    return Rule(mesh, nodes, np.full(len(nodes), 1 / len(nodes)), facets.rule.direction)


def l2_error(
    evaluator: Evaluator, name: str, exact: Integrand, t: float, fields: Fields, degree: int = 8
) -> float:
    """Return ‖u_h - u‖ in L2 for the field ``name``; ``exact`` returns (C, Q[, m]). Collective."""

    def square(p: Point) -> Array:
        e = p.fields[name].value - exact(p)
        return (e * e).reshape(*e.shape[:2], -1).sum(axis=2)

    return float(np.sqrt(evaluator.integrate(square, t, fields, degree=degree)))


def h1_error(
    evaluator: Evaluator, name: str, gradient: Integrand, t: float, fields: Fields, degree: int = 8
) -> float:
    """Return ‖∇u_h - ∇u‖ in L2; ``gradient`` returns (C, Q[, m], d). Collective."""

    def square(p: Point) -> Array:
        e = p.fields[name].grad - gradient(p)
        return (e * e).reshape(*e.shape[:2], -1).sum(axis=2)

    return float(np.sqrt(evaluator.integrate(square, t, fields, degree=degree)))
