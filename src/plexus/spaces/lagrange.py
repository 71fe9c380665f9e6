"""Continuous Lagrange spaces: nodes of one rank, their coordinates, interpolation, null spaces.

All components of a vector field share the nodes: component c of node i is unknown i*m + c. Field arrays
are (n_local, m) float64 with the owned nodes first; a PETSc Vec holds the owned rows, flattened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from plexus.io.piece import Piece, node_ids, piece
from plexus.mesh.element import element
from plexus.mesh.mesh import Mesh
from plexus.mesh.skeleton import entities
from plexus.protocols.facets import Facets
from plexus.spaces.names import facets_by_side, skeleton_entities, with_area
from plexus.spaces.numbering import Nodes, number_nodes


class Space:
    """Lagrange space of a degree (1 or 2) with ``components`` values per node. Construction is collective.

    Attributes
    ----------
    mesh, element, degree, components, comm
        What the space is made of.
    scalar : bool
        Whether samples go without an axis of components, by default if there is one component; a vector
        on a line has one component and that axis.
    cell_nodes : (C, n) int32
        Local nodes of each cell of the mesh, ghost cells included.
    n_owned, n_local, offset, n_global : int
        Nodes owned, nodes owned or ghost, global number of the first own node, nodes of all ranks.
    node_global : (n_local,) int64
        Global node numbers.
    points : (n_local, d)
        Node coordinates [m]; of periodic images the one in the cell of the smallest number.
    halo : Halo
        Exchange of ghost rows.
    """

    def __init__(
        self,
        mesh: Mesh,
        degree: int,
        components: int = 1,
        nodes: Nodes | None = None,
        scalar: bool | None = None,
    ):
        self.mesh, self.degree, self.components, self.comm = mesh, degree, components, mesh.comm
        self.scalar = components == 1 if scalar is None else scalar
        self.element = element(mesh.cell, degree)
        self.nodes = nodes or number_nodes(mesh, self.element)
        self.cell_nodes, self.halo = self.nodes.cell_nodes, self.nodes.halo
        self.n_owned, self.n_local = self.nodes.n_owned, self.nodes.n_local
        self.offset, self.n_global = self.nodes.offset, self.nodes.n_global
        self.node_global = self.nodes.node_global
        self._points: np.ndarray | None = None

    def with_components(self, components: int, scalar: bool | None = None) -> Space:
        """Return a space of the same nodes with another number of components; needs no communication."""
        twin = Space(self.mesh, self.degree, components, self.nodes, scalar)
        twin._points = self._points
        return twin

    @property
    def points(self) -> np.ndarray:
        """Node coordinates (n_local, d) [m]. Collective at the first access."""
        if self._points is None:
            self._points = node_points(self)
        return self._points

    @property
    def key(self) -> str:
        """Name of the nodes in files; all spaces of one degree share them."""
        return f"nodes{self.degree}"

    def names(self) -> np.ndarray:
        """Return names of the local nodes that no partition changes, (n_local,) int64."""
        return node_ids(self)

    def piece(self) -> Piece:
        """Return the owned cells as they are shown."""
        return piece(self)

    def zeros(self) -> np.ndarray:
        """Return a zero field array (n_local, components)."""
        return np.zeros((self.n_local, self.components))

    def vector(self) -> PETSc.Vec:
        """Return a new PETSc vector of the owned unknowns, with its block size set. Collective."""
        m = self.components
        return PETSc.Vec().createMPI((self.n_owned * m, self.n_global * m), bsize=m, comm=self.comm)

    def interpolate(self, f: Callable[[np.ndarray], np.ndarray | float]) -> np.ndarray:
        """Return the field array of ``f(points (N, d)) -> (N,), (N, m) or a constant``. Collective."""
        value = np.asarray(f(self.points), dtype=float)
        if value.ndim == 1 and len(value) == self.n_local and self.components == 1:
            value = value[:, None]
        return np.ascontiguousarray(np.broadcast_to(value, (self.n_local, self.components)))

    def facet_nodes(self, where: str | Facets) -> np.ndarray:
        """Return the sorted local nodes (ghosts included) on facets, curves and points. Collective.

        Where values may jump, they are those of both sides, or of the side that is named.

        Raises
        ------
        InputError
            If the mesh has nothing of that name.
        """
        marked = np.zeros(self.n_local, dtype=np.int8)
        where = Facets.of(where)
        area = with_area(self.mesh, where)
        if area is not None:
            facets = facets_by_side(self.mesh, area)
            marked[self.cell_nodes[facets[:, :1], self.element.facet_nodes[facets[:, 1]]]] = 1
        for name in where:
            pairs = skeleton_entities(self.mesh, name)
            if pairs is not None:
                self._mark_entities(marked, pairs)
        # the outer ghost cells hide facets of their neighbours: the owner of a node knows better
        self.halo.forward(marked)
        return np.flatnonzero(marked)

    def _mark_entities(self, marked: np.ndarray, pairs: np.ndarray) -> None:
        """Mark the nodes of vertices and edges, pairs (cell, entity) (k, 2)."""
        for number, group in enumerate(entities(self.mesh.reference)):
            here = pairs[pairs[:, 1] == number, 0]
            # the node in the middle of an edge has the number of the entity
            local = [*group, number] if self.degree == 2 else list(group)
            marked[self.cell_nodes[here][:, local]] = 1

    def near_nullspace(self, kind: Literal["constant", "rigid"]) -> PETSc.NullSpace:
        """Return the modes that cost no energy, orthonormalised: constants, or translations and rotations."""
        if kind == "rigid" and self.components == self.mesh.dim:
            x = self.vector()
            x.setArray(self.points[: self.n_owned].ravel())
            return PETSc.NullSpace().createRigidBody(x)
        if self.components == 1:
            return PETSc.NullSpace().create(constant=True, comm=self.comm)
        modes = [self._unit(c) for c in range(self.components)]
        return PETSc.NullSpace().create(vectors=modes, comm=self.comm)

    def _unit(self, component: int) -> PETSc.Vec:
        mode = np.zeros((self.n_owned, self.components))
        mode[:, component] = 1 / np.sqrt(self.n_global)
        vec = self.vector()
        vec.setArray(mode.ravel())
        return vec


def node_points(space: Space) -> np.ndarray:
    """Return the node coordinates: x(X_i) of one cell around each node, equal on all ranks. Collective."""
    mesh, nodes = space.mesh, space.cell_nodes
    n = nodes.shape[1]
    geometry = element(mesh.cell, mesh.geometry_degree)
    # a rank may see no image of a point although others do
    single = space.comm.allreduce(np.array_equal(mesh.vertex_ids, mesh.point_ids), MPI.LAND)
    if space.element is geometry and single:
        if np.array_equal(nodes, mesh.cells):
            return mesh.points.copy()
        chosen = np.empty(space.n_local, dtype=np.int32)
        chosen[nodes] = mesh.cells
        return mesh.points[chosen]
    # the last write wins: visit the cells by descending number, so that the choice is the same everywhere
    cells = np.argsort(-mesh.cell_ids, kind="stable")
    chosen = np.empty(space.n_local, dtype=np.int64)
    chosen[nodes[cells, ::-1]] = cells[:, None] * n + np.arange(n)[::-1]
    cell, local = np.divmod(chosen, n)
    phi, _ = geometry.tabulate(space.element.nodes)
    points = np.einsum("ka,kai->ki", phi[local], mesh.points[mesh.cells[cell]])
    space.halo.forward(points)
    return points
