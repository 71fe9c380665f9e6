"""Which share of a total each node bears: along curves, at points, at a position.

w_i = ∫ φ_i dl / L (curves),    w_i = 1/k (k points),    w_i = φ_i(x) (a position);    Σ w_i = 1
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plexus.errors import InputError
from plexus.fields.arrays import like
from plexus.mesh.element import element
from plexus.mesh.mesh import Mesh
from plexus.protocols import Array
from plexus.protocols.facets import Facets
from plexus.spaces.evaluate import Evaluator, Measure, Part
from plexus.spaces.lagrange import Space
from plexus.spaces.locate import Located
from plexus.spaces.names import skeleton_entities
from plexus.spaces.quadrature import quadrature

SAME = 1e-6
"""Distance from a node at which a position is that of the node, relative to the size of the cell."""
EXACT = 5
"""Exact degree of the quadrature along curves: φ and a second-order map, closely."""


@dataclass(frozen=True, eq=False)
class Share:
    """Own nodes (k,) and their weights (k,); those of all ranks add up to one."""

    nodes: np.ndarray
    weights: np.ndarray


def area(evaluator: Evaluator, where: Facets, degree: int, measure: Measure | None) -> float:
    """Return ∫ ds over boundaries, with the equation's factor on ds [m²]. Collective."""

    def one(p: object) -> float:
        return 1.0

    return float(evaluator.integrate(one, 0.0, {}, Part(boundary=where), degree, measure))


def of_skeleton(space: Space, names: Sequence[str]) -> Share:
    """Return the shares of the nodes of curves, or of points. Collective.

    Raises
    ------
    InputError
        If there are both, or none.
    """
    mesh, v = space.mesh, space.mesh.reference.n_vertices
    named = [skeleton_entities(mesh, name) for name in names]
    pairs = np.concatenate([rows for rows in named if rows is not None])
    points, curves = pairs[pairs[:, 1] < v], pairs[pairs[:, 1] >= v] - [0, v]
    counts = space.comm.allreduce(np.array([len(points), len(curves)]))
    if counts.all() or not counts.any():
        what = "nothing" if not counts.any() else "a curve and a point, which share no total"
        raise InputError(f"{', '.join(names)}: here is {what}")
    weights = np.zeros(space.n_local)
    if counts[0]:
        weights[space.cell_nodes[points[:, 0], points[:, 1]]] = 1.0
    else:
        _add_lengths(space, curves, weights)
    return _normalised(space, weights)


def _add_lengths(space: Space, pairs: np.ndarray, weights: np.ndarray) -> None:
    """Add ∫ φ_i dl over edges, pairs (cell, edge); one that several cells name counts once."""
    cell, mesh = space.mesh.reference, space.mesh
    ends = np.sort(np.take_along_axis(space.cell_nodes[pairs[:, 0]], cell.edges[pairs[:, 1]], axis=1), axis=1)
    _, first = np.unique(ends, axis=0, return_index=True)
    pairs = pairs[first]
    rule = quadrature("line", EXACT)
    geometry = element("line", mesh.geometry_degree)
    x = mesh.points[_along(mesh.cells, pairs, mesh, mesh.geometry_degree)]
    _, slope = geometry.tabulate(rule.points)
    speed = np.linalg.norm(np.einsum("qn,knd->kqd", slope[..., 0], x), axis=2)
    phi, _ = element("line", space.degree).tabulate(rule.points)
    share = np.einsum("q,kq,qn->kn", rule.weights, speed, phi)
    np.add.at(weights, _along(space.cell_nodes, pairs, mesh, space.degree), share)


def _along(nodes: np.ndarray, pairs: np.ndarray, mesh: Mesh, degree: int) -> np.ndarray:
    """Return the nodes of edges in the line's order: ends, then middle, (k, degree + 1)."""
    cell = mesh.reference
    local = cell.edges[pairs[:, 1]]
    if degree == 2:
        local = np.concatenate([local, cell.n_vertices + pairs[:, 1:]], axis=1)
    return np.take_along_axis(nodes[pairs[:, 0]], local, axis=1)


def of_position(space: Space, x: Sequence[float]) -> Share:
    """Return the values of the basis at a position, on the ranks that own the nodes. Collective.

    Raises
    ------
    InputError
        If it lies outside the mesh.
    """
    found = Located(space.mesh, np.array([x]))
    phi, _ = space.element.tabulate(found.local)
    mine = (space.node_global[space.cell_nodes[found.cells]].ravel(), phi.ravel())
    ids, values = (np.concatenate(rows) for rows in zip(*space.comm.allgather(mine), strict=True))
    own = (ids >= space.offset) & (ids < space.offset + space.n_owned)
    return Share(ids[own] - space.offset, values[own])


def nodes_at(space: Space, x: Sequence[float]) -> np.ndarray:
    """Return the local nodes (ghosts included) at a position: one where this rank has it. Collective.

    Raises
    ------
    InputError
        If it lies outside the mesh, or if no node is there.
    """
    found = Located(space.mesh, np.array([x]))
    nodes = space.cell_nodes[found.cells].ravel()
    away = np.linalg.norm(space.points[nodes] - np.array(x), axis=1)
    nearest = [(float(away[i]), float(np.ptp(away)), int(space.node_global[nodes[i]])) for i in _first(away)]
    ((gap, size, node),) = (row for rows in space.comm.allgather(nearest) for row in rows)
    place = f"({', '.join(f'{c:g}' for c in x)})"
    if gap > SAME * size:
        raise InputError(f"no node is at {place}: the nearest is {gap:.3g} m away")
    near = np.linalg.norm(space.points - np.array(x), axis=1) <= gap + SAME * size
    if any(space.comm.allgather(bool((space.node_global[near] != node).any()))):
        raise InputError(f"several nodes are at {place}: hold facets of the part that is meant")
    return np.flatnonzero(space.node_global == node)


def _first(away: np.ndarray) -> list[int]:
    return [int(np.argmin(away))] if len(away) else []


def _normalised(space: Space, weights: np.ndarray) -> Share:
    # rows of own nodes are complete: all cells around them are here
    nodes = np.flatnonzero(weights[: space.n_owned])
    total = space.comm.allreduce(float(weights[nodes].sum()))
    return Share(nodes, weights[nodes] / total)


@dataclass(frozen=True, eq=False)
class NodalLoad:
    """A force on nodes: the share of each, the form's columns of its components, and these.

    Attributes
    ----------
    force : components for the values of what they read, by name.
    reads : names of that: time and controls.
    """

    share: Share
    columns: slice
    force: Callable[[Mapping[str, Array]], Sequence[Array]]
    reads: Collection[str]

    def subtract(self, names: Mapping[str, Array], rows: np.ndarray) -> None:
        """Take the load off the rows of a residual (n_owned, m)."""
        value = np.array([float(f) for f in self.force(names)])
        # a node may occur twice where a cell meets itself across periodic sides
        np.subtract.at(rows[:, self.columns], self.share.nodes, self.share.weights[:, None] * value)

    def work(self, names: Mapping[str, Array], lam: Array) -> Array:
        """Return Σ λ_i·P_i over own nodes, for a tensor λ (n_local, m)."""
        borne = like(self.share.weights[:, None], lam) * lam[self.share.nodes, self.columns]
        return sum(part * f for part, f in zip(borne.sum(0), self.force(names), strict=True))
