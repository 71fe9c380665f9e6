"""The mesh of one rank: owned cells, a ghost layer, names, and the global identity of everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.cells import Cell, reference

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

EXTERIOR = "exterior"
"""Name of all facets with a cell on one side only, unless the mesh has a boundary of its own by that name."""
SMALL = 1e-9
"""Rounding of coordinates, relative to the largest one; files of meshes carry 1e-16 to 1e-12."""


@dataclass(frozen=True)
class Estimate:
    """What is known of a mesh before it is built: sizes and names; needs no MPI.

    ``nodes`` are the numbers of Lagrange nodes of degree 1 and 2, where the source can count them; ``ranks``
    is the largest number of ranks that can share it, where there is one; ``degree`` is that of the geometry.
    """

    dim: int
    cell: str
    n_cells: int
    n_points: int
    regions: tuple[str, ...]
    boundaries: tuple[str, ...]
    nodes: tuple[int, int] | None = None
    ranks: int | None = None
    degree: int = 1
    skeleton: tuple[str, ...] = ()
    """Names of curves of a solid, and of points."""


@dataclass(eq=False)
class Mesh:
    """The part of a mesh that one rank holds.

    ``P`` points and ``C`` cells are local and include the ghost layer: all cells that share a vertex
    with an owned cell. Cells are right-handed (positive Jacobian determinant).

    Attributes
    ----------
    dim : space dimension, equal to the cells' dimension.
    cell : line, triangle, quadrilateral, tetrahedron or hexahedron.
    geometry_degree : 1 or 2, the degree of the map from the reference cell.
    points : (P, dim) float64 coordinates [m].
    cells : (C, n) int32 local points in VTK order; owned cells come first.
    n_owned_cells : number of owned cells.
    point_ids : (P,) int64 global point number.
    vertex_ids : (P,) int64 topological number; periodic images of a point share one.
    cell_ids : (C,) int64 global cell number, independent of the partition.
    cell_owner : (C,) int32 owning rank.
    regions : name -> (k,) int32 local cells.
    boundaries : name -> (k, 2) int32 pairs (local cell, local facet) of owned and ghost cells.
    skeleton : name -> (k, 2) int32 pairs (local cell, entity) of all local cells: curves of a solid, and
        points (see `plexus.mesh.skeleton`).
    outside : (k, 2) int32 pairs of the facets with a cell on one side only, whatever boundaries are called.
    n_global_cells : number of cells of the whole mesh.
    cut : (k, 2) int32 pairs (local cell, local facet), both sides of the facets across which fields may jump;
        None where no rank has any.
    comm : communicator that shares the mesh.
    sha256 : sum of the file that the mesh was read from; empty for one that was made.
    """

    dim: int
    cell: str
    geometry_degree: int
    points: np.ndarray
    cells: np.ndarray
    n_owned_cells: int
    point_ids: np.ndarray
    vertex_ids: np.ndarray
    cell_ids: np.ndarray
    cell_owner: np.ndarray
    outside: np.ndarray
    n_global_cells: int
    comm: Comm
    regions: dict[str, np.ndarray] = field(default_factory=dict)
    boundaries: dict[str, np.ndarray] = field(default_factory=dict)
    skeleton: dict[str, np.ndarray] = field(default_factory=dict)
    cut: np.ndarray | None = None
    sha256: str = ""

    @property
    def reference(self) -> Cell:
        """Reference data of the cell type."""
        return reference(self.cell)

    @property
    def n_cells(self) -> int:
        """Number of local cells, ghosts included."""
        return len(self.cells)

    @property
    def vertices(self) -> np.ndarray:
        """Local points at the cells' vertices, (C, v), a view of ``cells``."""
        return self.cells[:, : self.reference.n_vertices]

    @cached_property
    def small(self) -> float:
        """Length below which distances between places are rounding [m], a billionth of the local extent."""
        return SMALL * float(np.abs(self.points).max(initial=0.0))

    def corner_volumes(self) -> np.ndarray:
        """Return det J of the map through the cells' vertices, (C, v), simplices (C, 1) [m^dim]."""
        return corner_volumes(self.reference, self.points[self.vertices])


def corner_volumes(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Return det J of the (multi)linear map at the vertices for vertex coordinates x (C, v, d).

    The result is (C, v); for simplices, whose det J is constant, it is (C, 1).
    """
    # det of the edge vectors that leave a vertex, in right-handed order
    at, to = cell.vertex_frames
    e = x[:, to] - x[:, at, None]
    if cell.dim == 1:
        return e[..., 0, 0]
    if cell.dim == 2:
        return e[..., 0, 0] * e[..., 1, 1] - e[..., 0, 1] * e[..., 1, 0]
    return np.einsum("cvi,cvi->cv", e[..., 0, :], np.cross(e[..., 1, :], e[..., 2, :]))
