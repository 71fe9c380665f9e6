"""Facets as cells seen through a rule that lies on one of their sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.devices.bridge import Bridge
from plexus.mesh.cells import reference
from plexus.mesh.mesh import Mesh
from plexus.spaces.points import CellSet
from plexus.spaces.quadrature import quadrature
from plexus.spaces.rule import Rule


@dataclass(frozen=True, eq=False)
class FacetSet:
    """Facets with one local number: their cells, the rule on that facet, the facet's number."""

    cells: CellSet
    rule: Rule
    facet: int


def facet_rule(mesh: Mesh, facet: int, degree: int) -> Rule:
    """Return a rule of exact ``degree`` on one facet of the reference cell.

    The facet is X(s) = V_0 + s_1 (V_1 - V_0) + s_2 (V_last - V_0). With weights of the facet's own
    reference element the normal carries the ratio of areas: N = t_1 × t_2 (in 2-D: t_1 turned by -90°),
    which points outward because facets list their vertices that way. The ends of a line have N = -1 and 1.
    """
    cell = reference(mesh.cell)
    corners = cell.vertices[cell.facets[facet]]
    rule = quadrature(cell.facet_name, degree)
    tangents = corners[1:][[0, -1][: cell.dim - 1]] - corners[0]
    points = corners[0] + rule.points @ tangents
    return Rule(mesh, points, rule.weights, _outward(corners, tangents))


def _outward(corners: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Return the outward normal of a facet of the reference cell, as long as its area ratio, (d,)."""
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
