"""Second-order nodes on a mesh of vertices: one per edge, quadrilateral face and cell centre.

Their ids continue those of the vertices: edges by the rank of their two point ids in lexicographic
order, then faces by their four, then centres by cell id. The result is the same on any rank count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.cells import Cell
from plexus.mesh.numbering import Meeting

if TYPE_CHECKING:
    from mpi4py.MPI import Comm, Op


@dataclass(frozen=True, eq=False)
class Nodes:
    """Cells with local nodes (C, n) int64 and the nodes' ids, as `plexus.mesh.mesh.Mesh` has them."""

    cells: np.ndarray
    point_ids: np.ndarray
    vertex_ids: np.ndarray


def elevate(comm: Comm, cell: Cell, linear: Nodes, cell_ids: np.ndarray) -> Nodes:
    """Return the second-order nodes of cells given by vertices; old nodes keep number and ids. Collective."""
    # ids are dense from 0, so the largest tells how many there are
    n_ids = comm.allreduce(int(linear.point_ids.max(initial=-1)), op=_op("MAX")) + 1
    periodic = comm.allreduce(not np.array_equal(linear.point_ids, linear.vertex_ids), op=_op("LOR"))
    groups = [np.array(g) for g in _groups_by_size(cell)]
    columns, ids, topological = [linear.cells], [linear.point_ids], [linear.vertex_ids]
    n_local, next_id = len(linear.point_ids), n_ids
    for group in groups:
        vertices = linear.cells[:, group]
        # numbers from 0 within this kind of entity, then shifted behind all kinds before
        point_ids, count = _ids(comm, linear.point_ids[vertices], n_ids, cell_ids)
        point_ids += next_id
        local, first = _local(point_ids)
        same = point_ids
        # images of an edge or face have equal vertex_ids; the lowest point id stands for them all
        if periodic and group.shape[1] < cell.n_vertices:
            keys = np.sort(linear.vertex_ids[vertices].reshape(-1, group.shape[1]), axis=1)
            same = Meeting(comm, keys, n_ids).lowest(point_ids)
        columns.append(n_local + local.reshape(len(linear.cells), len(group)))
        ids.append(point_ids[first])
        topological.append(same[first])
        n_local, next_id = n_local + len(first), next_id + count
    return Nodes(np.concatenate(columns, axis=1), np.concatenate(ids), np.concatenate(topological))


def _groups_by_size(cell: Cell) -> list[list[tuple[int, ...]]]:
    """Return the vertices of edges, quadrilateral faces and centre, as far as these carry nodes."""
    groups = cell.node_groups[cell.n_vertices :]
    # edges have 2 vertices, faces 4, the centre of a hexahedron 8: one size per kind
    sizes = sorted({len(g) for g in groups})
    return [[g for g in groups if len(g) == size] for size in sizes]


def _ids(comm: Comm, keys: np.ndarray, n_ids: int, cell_ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Return numbers from 0 for entities with point ids ``keys`` (C, g, k), flat, and how many there are."""
    # one entity per cell is its centre, which the cell id numbers already
    if keys.shape[1] == 1:
        return cell_ids.copy(), comm.allreduce(int(cell_ids.max(initial=-1)), op=_op("MAX")) + 1
    meeting = Meeting(comm, np.sort(keys.reshape(-1, keys.shape[2]), axis=1), n_ids)
    return meeting.numbers(), meeting.total


def _local(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return local numbers for ids and, per local number, one place where it occurs."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return inverse, first


def _op(name: str) -> Op:
    from mpi4py import MPI

    return getattr(MPI, name)
