"""Points in a reference cell with weights, and the tables of elements seen there."""

from __future__ import annotations

import numpy as np

from plexus.mesh.element import Element, element
from plexus.mesh.mesh import Mesh
from plexus.spaces.quadrature import quadrature
from plexus_kernels import Tables


class Rule:
    """Points (Q, d) and weights (Q,) in a reference cell, with the tables of the elements seen there.

    ``direction`` is set on facets: the outward normal of the reference facet times its area ratio, (d,).
    """

    def __init__(
        self, mesh: Mesh, points: np.ndarray, weights: np.ndarray, direction: np.ndarray | None = None
    ):
        self.geometry = element(mesh.cell, mesh.geometry_degree)
        self.points, self.weights, self.direction = points, weights, direction
        self._tables: dict[int, Tables] = {}

    def tables(self, of: Element) -> Tables:
        """Return the kernels' tables of an element at these points."""
        if of.degree not in self._tables:
            both = (*of.tabulate(self.points), *self.geometry.tabulate(self.points))
            self._tables[of.degree] = Tables(self.weights, *both, self.geometry.affine)
        return self._tables[of.degree]


_RULES: dict[tuple[str, int, int], Rule] = {}


def cell_rule(mesh: Mesh, degree: int) -> Rule:
    """Return the quadrature rule of exact ``degree`` in the mesh's cells, the same for all such meshes."""
    key = mesh.cell, mesh.geometry_degree, degree
    if key not in _RULES:
        rule = quadrature(mesh.cell, degree)
        _RULES[key] = Rule(mesh, rule.points, rule.weights)
    return _RULES[key]


def lumped_rule(mesh: Mesh, degree: int) -> Rule:
    """Return the Lagrange nodes of ``degree`` as a rule that makes a mass matrix diagonal.

    The weights w_i ∝ ∫φ_i², with the cell as their sum, are those of E. Hinton, T. Rock, O. C. Zienkiewicz,
    Earthquake Eng. Struct. Dyn. 4 (1976) 245-249, doi:10.1002/eqe.4290040305. At degree 1 they give the sums
    of the rows.
    """
    of = element(mesh.cell, degree)
    exact = quadrature(mesh.cell, 2 * degree)
    squares = exact.weights @ of.tabulate(exact.points)[0] ** 2
    return Rule(mesh, of.nodes, squares / squares.sum() * mesh.reference.volume)


def node_rule(mesh: Mesh, degree: int) -> Rule:
    """Return the Lagrange nodes of ``degree`` as a rule whose weights share the cell equally."""
    nodes = element(mesh.cell, degree).nodes
    return Rule(mesh, nodes, np.full(len(nodes), mesh.reference.volume / len(nodes)))
