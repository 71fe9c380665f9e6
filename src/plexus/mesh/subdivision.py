"""How a cell falls into 2^d children whose vertices are its second-order nodes.

A child sits at each vertex; the triangle's middle is a fourth child. The octahedron left in a
tetrahedron is cut along one of its three diagonals into four (J. Bey, 1995, doi:10.1007/BF02238487);
taking the shortest keeps the children well shaped. Variant i of the tables belongs to diagonal i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plexus.mesh.cells import Cell, reference
from plexus.mesh.skeleton import entities

DIAGONALS = np.array([(4, 9), (6, 8), (5, 7)])
"""Opposite second-order nodes of a tetrahedron's inner octahedron."""


@dataclass(frozen=True, eq=False)
class Subdivision:
    """Tables for w variants (1, or 3 for tetrahedra).

    ``children`` (w, 2^d, v): second-order nodes of the parent at the children's vertices, right-handed.
    ``facets`` (w, f, 2^(d-1), 2): pairs (child, facet of the child) that cover each facet of the parent.
    ``entities`` (w, v + e, 2, 2): pairs (child, entity of the child) that make up each vertex and edge of the
    parent; those of a vertex are twice the same.
    """

    children: np.ndarray
    facets: np.ndarray
    entities: np.ndarray


@lru_cache
def subdivision(name: str) -> Subdivision:
    """Return the tables of a cell type."""
    cell = reference(name)
    corners = _corner_children(cell)
    if name == "triangle":
        variants = [[*corners, [3, 4, 5]]]
    elif name == "tetrahedron":
        variants = [[*corners, *_octahedron(d)] for d in range(3)]
    else:
        variants = [corners]
    children = np.array([[_right_handed(cell, c) for c in variant] for variant in variants])
    return Subdivision(
        children,
        np.array([_facets(cell, variant) for variant in children]),
        np.array([_entities(cell, variant) for variant in children]),
    )


def _corner_children(cell: Cell) -> list[list[int]]:
    """Return for each vertex the nodes halfway between it and all vertices."""
    # child k is the parent shrunk by 1/2 towards vertex k: vertices (v_k + v_j)/2
    halfway = (cell.vertices[:, None] + cell.vertices[None]) / 2
    distance = np.abs(halfway[:, :, None] - cell.nodes(2)).sum(axis=3)
    return np.argmin(distance, axis=2).tolist()


def _octahedron(diagonal: int) -> list[list[int]]:
    """Return the four tetrahedra around a diagonal; the other two diagonals' ends form a ring."""
    p, q = DIAGONALS[diagonal].tolist()
    # a–c and b–d are the other diagonals, so a, b, c, d go round the chosen one
    (a, c), (b, d) = np.delete(DIAGONALS, diagonal, axis=0).tolist()
    return [[p, q, a, b], [p, q, b, c], [p, q, c, d], [p, q, d, a]]


def _right_handed(cell: Cell, child: list[int]) -> list[int]:
    x = cell.nodes(2)[child]
    at, to = cell.vertex_frames
    positive = np.linalg.det(x[to[0]] - x[at[0]]) > 0
    return child if positive else [child[i] for i in cell.reversal(1)]


def _facets(cell: Cell, children: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return for each facet of the parent the child facets all of whose vertices lie on it."""
    # no coordinates needed: second-order nodes of a facet are known by number
    inside = [set(nodes) for nodes in cell.facet_nodes(2).tolist()]
    sides = [
        (k, f, set(child[facet])) for k, child in enumerate(children) for f, facet in enumerate(cell.facets)
    ]
    return [[(k, f) for k, f, vertices in sides if vertices <= nodes] for nodes in inside]


def _entities(cell: Cell, children: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return for each vertex and edge of the parent one of the children there, and its entity."""
    # the first child that has it: any of them names the same nodes
    first: dict[frozenset[int], tuple[int, int]] = {}
    for k, child in enumerate(children.tolist()):
        for i, group in enumerate(entities(cell)):
            first.setdefault(frozenset(child[j] for j in group), (k, i))
    vertices = [[first[frozenset([v])]] * 2 for v in range(cell.n_vertices)]
    # the middle of an edge is the second-order node behind the vertices and the edges before it
    halves = [
        [first[frozenset([end, cell.n_vertices + e])] for end in edge]
        for e, edge in enumerate(cell.edges.tolist())
    ]
    return vertices + halves


def variants(name: str, x: np.ndarray) -> np.ndarray:
    """Return which variant each cell takes, (C,); ``x`` (C, n, d) are its second-order nodes' coordinates.

    Of diagonals of equal length up to rounding the first is taken, so that all ranks decide alike.
    """
    if name != "tetrahedron":
        return np.zeros(len(x), dtype=np.int64)
    ends = x[:, DIAGONALS]
    length = np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=2)
    return np.argmax(length <= length.min(axis=1, keepdims=True) * (1 + 1e-9), axis=1)


@lru_cache
def child_shapes(name: str) -> np.ndarray:
    """Return parent shape functions at the second-order nodes of the children, (w, 2^d, n, n).

    Coordinates of the children's nodes are then Σ_j shapes[w, k, i, j] x_j over the parent's nodes j.
    """
    cell = reference(name)
    # x_child node = average of child vertices; shape = monomials(x_child) · V⁻¹, V = monomials(nodes)
    vertices = cell.nodes(2)[subdivision(name).children]
    averages = np.array([[(i in g) / len(g) for i in range(cell.n_vertices)] for g in cell.node_groups])
    return _monomials(cell, averages @ vertices) @ np.linalg.inv(_monomials(cell, cell.nodes(2)))


def _monomials(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Return all monomials of total (simplex) or partial degree up to 2 at x (..., d), (..., n)."""
    powers = np.indices((3,) * cell.dim).reshape(cell.dim, -1).T
    powers = powers[powers.sum(axis=1) <= 2] if cell.simplex else powers
    return np.prod(x[..., None, :] ** powers, axis=-1)
