"""A mesh spread over the ranks in contiguous slices of its numbered cells and points.

This is how a mesh arrives from storage: cell and point numbers are those of the file, no rank has
more than its share, and nothing is known yet about neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.mesh.cells import Cell, reference
from plexus.mesh.exchange import fetch, home, slice_starts

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass(frozen=True, eq=False)
class Slices:
    """One rank's slice.

    Attributes
    ----------
    cell, degree : cell type and geometry degree.
    n_cells, n_points : global sizes.
    cells : (c, n) int64 global points of this rank's cells, VTK order.
    points : (p, dim) float64 coordinates of this rank's points [m].
    vertex_ids : (p,) int64 topological number of this rank's points, or None where equal to the number.
    regions : name -> (k,) int64 global cell numbers inside the slice, ascending.
    boundaries : name -> (k, 2) int64 (global cell, facet), cell inside the slice, ascending.
    skeleton : name -> (k, 2) int64 (global cell, entity), cell inside the slice, ascending.
    unused : number of nodes of the file that belong to no cell and are left out.
    """

    cell: str
    degree: int
    n_cells: int
    n_points: int
    cells: np.ndarray
    points: np.ndarray
    vertex_ids: np.ndarray | None
    regions: dict[str, np.ndarray]
    boundaries: dict[str, np.ndarray]
    skeleton: dict[str, np.ndarray] = field(default_factory=dict)
    unused: int = 0

    @property
    def reference(self) -> Cell:
        """Reference data of the cell type."""
        return reference(self.cell)

    def topology(self, comm: Comm) -> np.ndarray:
        """Return the topological vertex numbers of this rank's cells, (c, v) int64. Collective."""
        vertices = self.cells[:, : self.reference.n_vertices]
        if self.vertex_ids is None:
            return vertices
        starts = slice_starts(self.n_points, comm.size)
        return fetch(comm, starts, vertices.ravel(), self.vertex_ids)[0].reshape(vertices.shape)


def scatter(comm: Comm, whole: Slices | None) -> Slices:
    """Cut a mesh that rank 0 holds completely into slices; other ranks pass None. Collective."""
    if comm.size == 1:
        assert whole is not None
        return whole
    pieces: Any = _cut(whole, comm.size) if whole is not None else None
    return comm.scatter(pieces)


def _cut(whole: Slices, size: int) -> list[Slices]:
    # cells and points are cut independently of each other
    cuts, point_cuts = slice_starts(whole.n_cells, size), slice_starts(whole.n_points, size)
    region_homes = {name: home(ids, cuts) for name, ids in whole.regions.items()}
    facets, entities = _by_rank(whole.boundaries, cuts), _by_rank(whole.skeleton, cuts)
    pieces = []
    for rank in range(size):
        c, p = slice(cuts[rank], cuts[rank + 1]), slice(point_cuts[rank], point_cuts[rank + 1])
        pieces.append(replace(
            whole, cells=whole.cells[c], points=whole.points[p],
            vertex_ids=None if whole.vertex_ids is None else whole.vertex_ids[p],
            regions={name: ids[region_homes[name] == rank] for name, ids in whole.regions.items()},
            boundaries=facets(rank), skeleton=entities(rank),
        ))  # fmt: skip
    return pieces


def _by_rank(named: dict[str, np.ndarray], cuts: np.ndarray) -> Callable[[int], dict[str, np.ndarray]]:
    """Return what gives the pairs of each name whose cell lies in the slice of a rank."""
    homes = {name: home(rows[:, 0], cuts) for name, rows in named.items()}
    return lambda rank: {name: rows[homes[name] == rank] for name, rows in named.items()}
