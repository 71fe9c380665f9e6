"""From slices to the mesh of each rank: partition, move cells with their ghost layer, number locally."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError
from plexus.mesh.exchange import Route, agreed, fetch, ranges, slice_starts
from plexus.mesh.facets import neighbours
from plexus.mesh.ghost import destinations
from plexus.mesh.mesh import EXTERIOR, Mesh
from plexus.mesh.order import first_use, hilbert_keys
from plexus.mesh.partition import Partitioner, partition
from plexus.mesh.slices import Slices

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def distribute(comm: Comm, slices: Slices, method: Partitioner = "auto") -> Mesh:
    """Partition the mesh, give every rank its cells and ghosts, and name regions and boundaries. Collective.

    Raises
    ------
    InputError
        If three cells share a facet, or if two lie on the same side of one.
    """
    cell, starts = slices.reference, slice_starts(slices.n_points, comm.size)
    # neighbourhood is a matter of vertex_ids, so that it reaches across periodic sides
    topology = slices.topology(comm)
    first = int(slice_starts(slices.n_cells, comm.size)[comm.rank])
    ids = first + np.arange(len(topology))
    behind, overlapping = neighbours(comm, cell, topology, ids, starts)
    # coordinates lie in slices of their own: each rank asks the homes of its vertices
    corners = fetch(comm, starts, slices.cells[:, : cell.n_vertices].ravel(), slices.points)[0]
    centres = corners.reshape(*topology.shape, cell.dim).mean(axis=1)
    agreed(comm, lambda: _require_apart(overlapping, centres))
    owner = partition(comm, behind, centres, slices.n_cells, method)
    delivery = Delivery(comm, first, *destinations(comm, topology, owner, starts))
    arrived = [delivery.cells(a) for a in (slices.cells, ids, owner, centres)]
    # behind holds local rows; facets travel with global cell numbers
    outside = np.argwhere(behind < 0) + np.array([first, 0])
    return _assemble(delivery, slices, arrived, outside)


def _require_apart(overlapping: np.ndarray, centres: np.ndarray) -> None:
    """Refuse cells (c, f) that overlap the neighbour behind a facet."""
    cells = np.flatnonzero(overlapping.any(axis=1))
    if len(cells):
        where = ", ".join(f"{v:.6g}" for v in centres[cells[0]])
        raise InputError(
            f"{len(cells):,} cells lie on the same side of a facet as their neighbour, the first with its "
            f"middle at ({where}) m: the mesh overlaps itself, a node may be in the wrong place"
        )


def _assemble(delivery: Delivery, slices: Slices, arrived: list[np.ndarray], outside: np.ndarray) -> Mesh:
    """Order the arrived cells along the Hilbert curve, owned ones first, and number their points."""
    comm, starts = delivery.comm, slice_starts(slices.n_points, delivery.comm.size)
    cells, ids, owner, centres = arrived
    # last key first: owned before ghosts, then along the curve, then by id to settle ties
    order = np.lexsort((ids, hilbert_keys(centres), owner != comm.rank))
    ids, owner = ids[order], owner[order]
    point_ids, local_cells = first_use(cells[order])
    topological = slices.vertex_ids
    # without periodic images a point is its own topological vertex
    if topological is None:
        topological = np.arange(starts[comm.rank], starts[comm.rank + 1])
    points, vertex_ids = fetch(comm, starts, point_ids, slices.points, topological)
    sorts = (slices.regions, {EXTERIOR: outside}, slices.boundaries, slices.skeleton)
    named = iter(delivery.named([rows for sort in sorts for rows in sort.values()], ids))
    regions, exterior, boundaries, skeleton = ({name: next(named) for name in sort} for sort in sorts)
    return Mesh(
        dim=slices.reference.dim, cell=slices.cell, geometry_degree=slices.degree,
        points=points, cells=local_cells, n_owned_cells=int((owner == comm.rank).sum()),
        point_ids=point_ids, vertex_ids=vertex_ids, cell_ids=ids, cell_owner=owner,
        outside=exterior[EXTERIOR], n_global_cells=slices.n_cells, comm=comm,
        # a boundary that the file itself calls so keeps its name
        regions=regions, boundaries=exterior | boundaries, skeleton=skeleton,
    )  # fmt: skip


@dataclass(frozen=True)
class Delivery:
    """Which ranks get which cells of this rank's slice, which starts at cell ``first``: ascending pairs."""

    comm: Comm
    first: int
    rows: np.ndarray
    target: np.ndarray

    @cached_property
    def _route(self) -> Route:
        return Route(self.comm, self.target)

    def cells(self, array: np.ndarray) -> np.ndarray:
        """Send one row per cell of the slice to all who need the cell; return what arrives. Collective."""
        return self._route.forward(array[self.rows])

    def named(self, rows: list[np.ndarray], ids: np.ndarray) -> list[np.ndarray]:
        """Send named parts of cells to all who hold the cell; return them with local cells. Collective.

        ``rows`` are global cells (k,) or pairs (global cell, facet or entity) (k, 2), one array per name;
        ``ids`` are the global numbers of the receiving rank's cells. The results are sorted int32 of the same
        shapes.
        """
        # all names share one exchange: rows (name, cell, facet)
        table = np.concatenate([_tagged(i, r) for i, r in enumerate(rows)])
        # self.rows ascends, so the receivers of a cell are one contiguous piece of it
        begin = np.searchsorted(self.rows, table[:, 1] - self.first, side="left")
        count = np.searchsorted(self.rows, table[:, 1] - self.first, side="right") - begin
        target = self.target[ranges(begin, count)]
        received = Route(self.comm, target).forward(np.repeat(table, count, axis=0))
        # global to local cell: look up in the ascending ids
        by_id = np.argsort(ids)
        received[:, 1] = by_id[np.searchsorted(ids, received[:, 1], sorter=by_id)]
        received = received[np.lexsort(received.T[::-1])].astype(np.int32)
        # sorted by name first: each name is one piece
        cuts = np.searchsorted(received[:, 0], np.arange(len(rows) + 1))
        pieces = [received[a:b] for a, b in pairwise(cuts)]
        return [p[:, 1] if r.ndim == 1 else p[:, 1:] for p, r in zip(pieces, rows, strict=True)]


def _tagged(name: int, rows: np.ndarray) -> np.ndarray:
    """Return rows (number of the name, cell, facet); the facet is 0 for cells."""
    facet = rows[:, 1] if rows.ndim == 2 else np.zeros(len(rows), dtype=np.int64)
    return np.stack([np.full(len(rows), name), rows[:, 0] if rows.ndim == 2 else rows, facet], axis=1)
