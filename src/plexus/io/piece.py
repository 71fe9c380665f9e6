"""The part of the grid that one rank shows, and names of nodes that no partition changes.

A node is named by ``min(c·n + j)`` over the cells around it, with c the global number of the cell, n the
nodes per cell and j the node's place in the cell: the same name on any number of ranks, found without
communication, because the ghost layer holds all cells around the nodes of owned cells.

Periodic images share a node but lie at different places; the shown grid gets one point per image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from plexus.mesh.mesh import Mesh


class Nodal(Protocol):
    """What this layer needs of a Lagrange space (`plexus.spaces.lagrange.Space`)."""

    mesh: Mesh
    degree: int
    cell_nodes: np.ndarray
    n_owned: int
    n_local: int
    element: Any


@dataclass(frozen=True, eq=False)
class Piece:
    """The owned cells of one rank as VTK wants them.

    Attributes
    ----------
    points : (p, 3) float64 coordinates [m].
    links : (c, n) int64 point numbers of each cell within the piece.
    vtk_type : VTK number of the cell type.
    node_ids : (p,) int64 partition-independent names of the points' nodes.
    cell_ids : (c,) int64 global cell numbers.
    nodes : (p,) local node of each point: ``array[nodes]`` are the point data of a field array.
    """

    points: np.ndarray
    links: np.ndarray
    vtk_type: int
    node_ids: np.ndarray
    cell_ids: np.ndarray
    nodes: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of points, cells and links."""
        return len(self.points), len(self.links), self.links.size


def node_ids(space: Nodal) -> np.ndarray:
    """Return the names of all local nodes, (n_local,) int64; final for the nodes of owned cells."""
    n = space.cell_nodes.shape[1]
    names = np.full(space.n_local, -1, dtype=np.int64)
    order = np.argsort(-space.mesh.cell_ids, kind="stable")
    # the last write wins: descending cells and places leave the smallest name
    every = space.mesh.cell_ids[order, None] * n + np.arange(n)
    names[space.cell_nodes[order][:, ::-1]] = every[:, ::-1]
    return names


def piece(space: Nodal) -> Piece:
    """Return the piece of this rank: all nodes of the space become points."""
    mesh, n_cells = space.mesh, space.mesh.n_owned_cells
    cells = space.cell_nodes[:n_cells]
    places = _places(space, n_cells)
    used, first, links = _points(mesh, cells, places)
    points = np.zeros((len(used), 3))
    points[:, : mesh.dim] = places.reshape(-1, mesh.dim)[first]
    return Piece(
        points,
        links.reshape(cells.shape).astype(np.int64),
        mesh.reference.vtk[space.degree],
        node_ids(space)[used],
        mesh.cell_ids[:n_cells].astype(np.int64),
        used,
    )


def _places(space: Nodal, n_cells: int) -> np.ndarray:
    """Return the coordinates of each owned cell's nodes, (c, n, d)."""
    mesh = space.mesh
    corners = mesh.points[mesh.cells[:n_cells]]
    if space.degree == mesh.geometry_degree:
        return corners
    shape = _geometry_values(mesh, space.element.nodes)
    return np.einsum("na,cad->cnd", shape, corners)


def _geometry_values(mesh: Mesh, at: np.ndarray) -> np.ndarray:
    """Return the geometry's basis at reference points, (n, nodes of the geometry).

    Between degrees 1 and 2 only: nodes of one are averages of vertices of the other, or vertices.
    """
    reference = mesh.reference
    groups = reference.node_groups if mesh.geometry_degree == 1 else [(i,) for i in range(len(at))]
    values = np.zeros((len(at), reference.n_nodes(mesh.geometry_degree)))
    for i, group in enumerate(groups[: len(at)]):
        # φ of the vertices at the middle of an entity: each the same share
        values[i, list(group)] = 1 / len(group)
    return values


def _points(mesh: Mesh, cells: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each point's node, its first place among all cell nodes, and the point of each cell node."""
    flat = cells.ravel()
    if np.array_equal(mesh.point_ids, mesh.vertex_ids):
        return np.unique(flat, return_index=True, return_inverse=True)
    extent = np.ptp(mesh.points, axis=0).max() if len(mesh.points) else 1.0
    # two places are one point when they agree to a billionth of the mesh's size
    where = np.rint(places.reshape(len(flat), -1) / (1e-9 * extent)).astype(np.int64)
    _, first, links = np.unique(
        np.column_stack([flat, where]), axis=0, return_index=True, return_inverse=True
    )
    return flat[first], first, links.ravel()
