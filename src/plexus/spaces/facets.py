"""Facets as cells seen through a rule that lies on one of their sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from plexus.devices.bridge import Bridge
from plexus.mesh.cells import reference
from plexus.mesh.mesh import Mesh
from plexus.protocols.facets import Facets, across
from plexus.spaces.names import boundary_facets
from plexus.spaces.points import CellSet
from plexus.spaces.quadrature import quadrature
from plexus.spaces.rule import Rule
from plexus.spaces.sides import both


@dataclass(frozen=True, eq=False)
class FacetSet:
    """Facets with one local number: their cells, the rule on that facet, the facet's number.

    ``behind`` are the same facets at the same points, seen from the cells on the other side.
    """

    cells: CellSet
    rule: Rule
    facet: int
    behind: FacetSet | None = None

    @property
    def other(self) -> tuple[CellSet, Rule] | None:
        """Cells and rule of the other side."""
        return None if self.behind is None else (self.behind.cells, self.behind.rule)


def facet_rule(mesh: Mesh, facet: int, degree: int, turn: np.ndarray | None = None) -> Rule:
    """Return a rule of exact ``degree`` on one facet of the reference cell.

    The facet is X(s) = V_0 + s_1 (V_1 - V_0) + s_2 (V_last - V_0). With weights of the facet's own
    reference element the normal carries the ratio of areas: N = t_1 × t_2 (in 2-D: t_1 turned by -90°),
    which points outward because facets list their vertices that way. The ends of a line have N = -1 and 1.
    ``turn`` names the vertices of the facet in another order for X(s), that of the cell on its other side.
    """
    cell = reference(mesh.cell)
    corners = cell.vertices[cell.facets[facet]]
    rule = quadrature(cell.facet_name, degree)
    seen = corners if turn is None else corners[turn]
    points = seen[0] + rule.points @ _tangents(seen)
    return Rule(mesh, points, rule.weights, _outward(corners))


def _tangents(corners: np.ndarray) -> np.ndarray:
    """Return V_1 - V_0 and V_last - V_0, as far as the facet has them."""
    return corners[1:][[0, -1][: corners.shape[1] - 1]] - corners[0]


def _outward(corners: np.ndarray) -> np.ndarray:
    """Return the outward normal of a facet of the reference cell, as long as its area ratio, (d,)."""
    tangents = _tangents(corners)
    if len(tangents) == 0:
        return 2 * corners[0] - 1
    if len(tangents) == 1:
        return np.array([tangents[0][1], -tangents[0][0]])
    return np.cross(*tangents)


def facet_sets(
    mesh: Mesh, pairs: np.ndarray, degree: int, bridge: Bridge, chosen: np.ndarray
) -> list[FacetSet]:
    """Group facets, pairs (cell, facet), whose cell is ``chosen`` (bool per local cell) by local number."""
    pairs = pairs[chosen[pairs[:, 0]]]
    return [
        FacetSet(CellSet(mesh, bridge, pairs[pairs[:, 1] == f, 0]), facet_rule(mesh, int(f), degree), int(f))
        for f in np.unique(pairs[:, 1])
    ]


def sets_of_term(
    mesh: Mesh, where: str | Facets, term: object, degree: int, bridge: Bridge, chosen: np.ndarray
) -> Iterable[FacetSet]:
    """Return the facets of a boundary term whose cell is ``chosen``; a term across has both sides of each."""
    pairs = boundary_facets(mesh, where)
    if not across(term):
        return facet_sets(mesh, pairs, degree, bridge, chosen)
    sides = both(mesh, pairs).reshape(-1, 2)
    return two_sided(mesh, sides[sides[:, 0] >= 0], degree, bridge, chosen)


def two_sided(
    mesh: Mesh, pairs: np.ndarray, degree: int, bridge: Bridge, chosen: np.ndarray
) -> Iterator[FacetSet]:
    """Yield facets inside the body with both sides: ``pairs`` whose cell is ``chosen``, and what is behind.

    A set holds facets of one local number on each side that meet in one way.
    """
    sides = both(mesh, pairs[chosen[pairs[:, 0]]])
    sides = sides[(sides >= 0).all(axis=(1, 2))]
    kinds = np.concatenate([sides[..., 1], _turns(mesh, sides)], axis=1)
    for kind in np.unique(kinds, axis=0):
        here = sides[(kinds == kind).all(axis=1)]
        (own, other), turn = kind[:2].tolist(), kind[2:]
        seen = facet_rule(mesh, other, degree, turn)
        behind = FacetSet(CellSet(mesh, bridge, here[:, 1, 0]), seen, other)
        yield FacetSet(CellSet(mesh, bridge, here[:, 0, 0]), facet_rule(mesh, own, degree), own, behind)


def _turns(mesh: Mesh, sides: np.ndarray) -> np.ndarray:
    """Return for sides (k, 2, 2) where the vertices of one facet stand in the list of the other, (k, m)."""
    vertices = mesh.vertex_ids[mesh.vertices]
    lists = [
        np.take_along_axis(vertices[side[:, 0]], mesh.reference.facets[side[:, 1]], axis=1)
        for side in (sides[:, 0], sides[:, 1])
    ]
    return np.argmax(lists[1][:, None, :] == lists[0][:, :, None], axis=2)
