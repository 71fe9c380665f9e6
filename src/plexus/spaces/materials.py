"""Nodes seen once per material: rows for fields that jump where materials meet.

What is made of gradients and material data (a stress, a heat flux) is known cell by cell and recovered at
the nodes from the cells around each. Over an interface that would be a mean of two materials, the value of
neither. Here a node on an interface has one row per material around it: rows of nodes come first, those of
further materials behind them. A material is a set of regions that the model's properties tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.io.piece import Piece, node_ids, piece
from plexus.mesh.halo import Halo
from plexus.mesh.mesh import Mesh
from plexus.spaces.lagrange import Space


def materials(mesh: Mesh, regions: Sequence[str]) -> np.ndarray:
    """Return a number of the material of each local cell, (C,) int64, equal on all ranks."""
    # one random number per region: sums of different sets differ
    marks = np.random.default_rng(1).integers(1, 2**48, len(regions))
    found = np.zeros(mesh.n_cells, dtype=np.int64)
    for name, mark in zip(regions, marks, strict=True):
        found[mesh.regions[name]] += mark
    return found


def meet(mesh: Mesh, regions: Sequence[str], which: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the numbers ``which`` (k,) whose ``cells`` (k,) have several materials. Collective."""
    here = np.column_stack([which, materials(mesh, regions)[cells]])
    every = np.unique(np.concatenate(mesh.comm.allgather(here)), axis=0)[:, 0]
    return np.unique(every[1:][every[1:] == every[:-1]])


class MaterialNodes:
    """The nodes of a space, several times where materials meet. Construction is collective.

    It can be shown and sampled like a `plexus.spaces.lagrange.Space`.

    Attributes
    ----------
    node : (n_local,) int
        Node of each row; the first `Space.n_local` rows are the nodes themselves.
    cell_nodes : (C, n) int32
        Row of each node of each cell.
    several : bool
        Whether any rank has a node with two materials.
    """

    def __init__(self, space: Space, regions: Sequence[str]):
        self.base, self.mesh, self.degree, self.element = space, space.mesh, space.degree, space.element
        self.comm = space.comm
        shape = space.cell_nodes.shape
        nodes = space.cell_nodes.ravel().astype(np.int64)
        of = np.repeat(materials(space.mesh, regions), shape[1])
        pairs, rows = np.unique(np.column_stack([nodes, of]), axis=0, return_inverse=True)
        # the first material of each node keeps the node's own row; a rank may have no cell
        first = np.ones(len(pairs), dtype=bool)
        first[1:] = pairs[1:, 0] != pairs[:-1, 0]
        number = np.where(first, pairs[:, 0], space.n_local + np.cumsum(~first) - 1)
        self.cell_nodes = number[rows.ravel()].reshape(shape).astype(np.int32)
        self.node = np.concatenate([np.arange(space.n_local), pairs[~first, 0]])
        self.n_owned, self.n_local = space.n_owned, len(self.node)
        self.several = bool(space.comm.allreduce(self.n_local > space.n_local, MPI.LOR))

    @property
    def points(self) -> np.ndarray:
        """Coordinates (n_local, d) [m]. Collective at the first access."""
        return self.base.points[self.node]

    @property
    def halo(self) -> NodeHalo:
        """Exchange of the rows of ghost nodes; further materials of outer ghosts are nobody's."""
        return NodeHalo(self.base.halo, self.base.n_local)

    @property
    def key(self) -> str:
        """Name of the nodes in files."""
        return self.base.key

    def names(self) -> np.ndarray:
        """Return names of the rows that no partition changes, (n_local,) int64."""
        return node_ids(self)

    def piece(self) -> Piece:
        """Return the owned cells as they are shown: a node once per material."""
        return piece(self)

    def with_components(self, components: int, scalar: bool | None = None) -> Space:
        """Return a space of the nodes themselves."""
        return self.base.with_components(components, scalar)


class NodeHalo:
    """Exchange of the rows of the nodes, those of further materials left as they are."""

    def __init__(self, halo: Halo, rows: int):
        self._halo, self._rows = halo, rows

    def forward(self, array: Any) -> None:
        """Fill the rows of ghost nodes. Collective."""
        self._halo.forward(array[: self._rows])
