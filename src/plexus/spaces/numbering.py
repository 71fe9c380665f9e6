"""Numbering of the nodes of a Lagrange space across ranks, from local information and two halo exchanges.

Every node belongs to an entity (vertex, edge, face, cell). The pair (smallest vertex of the entity,
vertex opposite to it within the entity) names the node: for a vertex the vertex twice, for an edge
its ends, for a quadrilateral one diagonal, for a hexahedron a space diagonal. These are pairs of the
vertex-vertex pattern, whose ordering keeps the nodes of neighbouring cells close together.

A node is owned by the smallest rank among the owners of its cells. The ghost layer shows a rank all
cells around the nodes of its own cells, so ownership needs no communication. Global numbers travel
as rows "numbers of the nodes of this cell" through the halo of the cells: the first exchange
completes the cells that a rank owns, the second one its ghost cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.mesh.element import Element
from plexus.mesh.halo import Halo
from plexus.mesh.mesh import Mesh
from plexus.spaces.cuts import split
from plexus_kernels import backend


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of one rank: owned ones first, then ghosts in the order of their global numbers.

    Attributes
    ----------
    cell_nodes : (C, n) int32
        Local nodes of each cell.
    n_owned, n_local, offset, n_global
        Counts, and the global number of this rank's first node.
    node_global : (n_local,) int64
        Global numbers.
    halo : Halo
        Exchange of ghost rows.
    """

    cell_nodes: np.ndarray
    n_owned: int
    n_local: int
    offset: int
    n_global: int
    node_global: np.ndarray
    halo: Halo


def number_nodes(mesh: Mesh, element: Element) -> Nodes:
    """Give every node of ``element`` on ``mesh`` a global number and an owner. Collective."""
    comm = mesh.comm
    raw, count = _local_nodes(mesh, element)
    if mesh.cut is not None:
        raw, count = split(mesh, element, raw, count)
    mine = _owners(mesh, raw, count) == comm.rank
    n_owned = int(np.count_nonzero(mine))
    counts = comm.allgather(n_owned)
    offset, n_global = sum(counts[: comm.rank]), sum(counts)
    number = np.full(count, -1, dtype=np.int64)
    number[mine] = offset + np.arange(n_owned)
    if comm.size > 1:
        _spread(mesh, raw, number)
    # the outer ghost cells may know one node as several
    ghosts = np.unique(number[~mine])
    local = np.empty(count, dtype=np.int32)
    local[mine] = np.arange(n_owned)
    local[~mine] = n_owned + np.searchsorted(ghosts, number[~mine])
    node_global = np.concatenate([offset + np.arange(n_owned), ghosts])
    halo = Halo.from_global(comm, n_owned, ghosts)
    cell_nodes = local[raw] if comm.size > 1 else raw
    return Nodes(cell_nodes, n_owned, len(node_global), offset, n_global, node_global, halo)


def _local_nodes(mesh: Mesh, element: Element) -> tuple[np.ndarray, int]:
    """Return provisional local nodes of each cell (C, n) int32 and their number."""
    vertices, count = _vertices(mesh)
    if element.degree == 1:
        return vertices, count
    _, cols, slots = backend().pattern(vertices, count)
    raw = np.empty((mesh.n_cells, len(element)), dtype=np.int32)
    rows = np.arange(mesh.n_cells)
    for i, group in enumerate(element.groups):
        first, other = _name(vertices, group, mesh.reference.vertices)
        raw[:, i] = slots[rows, first, other]
    return _compress(raw, len(cols))


def _vertices(mesh: Mesh) -> tuple[np.ndarray, int]:
    """Return the cells' vertices (C, v), numbered in the order of the points; periodic images are one."""
    used = np.zeros(len(mesh.points), dtype=bool)
    used[mesh.vertices] = True
    points = np.flatnonzero(used)
    place = np.empty(len(used), dtype=np.int32)
    if np.array_equal(mesh.vertex_ids[points], mesh.point_ids[points]):
        count = len(points)
        if count == len(used):
            return np.ascontiguousarray(mesh.vertices), count
        place[points] = np.arange(count)
    else:
        _, first, inverse = np.unique(mesh.vertex_ids[points], return_index=True, return_inverse=True)
        count = len(first)
        rank = np.empty(count, dtype=np.int32)
        rank[np.argsort(first)] = np.arange(count)
        place[points] = rank[inverse]
    return place[mesh.vertices], count


def _name(vertices: np.ndarray, group: tuple[int, ...], corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per cell, the local number of the group's smallest vertex and of the one opposite to it."""
    g = np.array(group)
    distance = np.linalg.norm(corners[g][:, None] - corners[g][None], axis=2)
    opposite = g[np.argmax(distance, axis=1)]
    least = np.argmin(vertices[:, g], axis=1)
    return g[least], opposite[least]


def _compress(raw: np.ndarray, bound: int) -> tuple[np.ndarray, int]:
    """Renumber the values that occur in ``raw`` (all below ``bound``) without gaps, keeping their order."""
    used = np.zeros(bound, dtype=bool)
    used[raw] = True
    return (np.cumsum(used, dtype=np.int32) - 1)[raw], int(np.count_nonzero(used))


def _owners(mesh: Mesh, raw: np.ndarray, count: int) -> np.ndarray:
    """Smallest owner among the local cells of each node; exact for the nodes of owned cells."""
    n, mine = mesh.n_owned_cells, mesh.comm.rank
    ghosts, of = raw[n:], mesh.cell_owner[n:]
    # every node is one of a local cell: where all of them are own cells, there is nothing to compare
    if not len(ghosts):
        return np.full(count, mine, dtype=np.int32)
    owner = np.empty(count, dtype=np.int32)
    # in descending order, so that the smallest rank writes last
    for rank in np.unique(np.append(of, mine))[::-1]:
        owner[raw[:n] if rank == mine else ghosts[of == rank]] = rank
    return owner


def _spread(mesh: Mesh, raw: np.ndarray, number: np.ndarray) -> None:
    """Fill the missing global numbers in place by two exchanges over the ghost cells."""
    n = mesh.n_owned_cells
    halo = Halo.from_ids(mesh.comm, mesh.cell_ids[:n], mesh.cell_owner[n:], mesh.cell_ids[n:])
    for _ in range(2):
        cells, rows = halo.fetch(lambda cells: number[raw[cells]])
        known = rows >= 0
        number[raw[cells][known]] = rows[known]
