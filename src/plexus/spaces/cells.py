"""Cells of a uniform grid as the rows of a run: numbers, names, what is shown, values between centres.

Slabs of the first axis lie on the ranks. Field arrays are (n_local, m) float64, cells in the order of their
global numbers; there are no ghosts, as neighbours exchange layers of tensors (`plexus.spaces.slabs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.io.piece import Piece
from plexus.mesh.grid import Grid
from plexus.mesh.lattice import SIDES
from plexus.mesh.mesh import EXTERIOR
from plexus.protocols.facets import Facets
from plexus.spaces.grid import CORNERS, VTK, located, of_slab

if TYPE_CHECKING:
    from petsc4py import PETSc

    from plexus.protocols import Array


class NoHalo:
    """Ghost rows of a space that has none."""

    def forward(self, array: np.ndarray) -> None:
        """Exchange nothing."""


class CellSpace:
    """The cells of one rank with ``components`` values each.

    Parameters
    ----------
    grid
        The whole grid.
    rows
        First cell along the first axis that this rank holds, and the one behind the last.
    """

    degree, key = 0, "cells"
    halo = NoHalo()

    def __init__(self, grid: Grid, rows: tuple[int, int], components: int = 1):
        self.mesh, self.rows, self.components, self.comm = grid, rows, components, grid.comm
        self.shape = (rows[1] - rows[0], *grid.cells[1:])
        plane = grid.n_global_cells // grid.cells[0]
        self.n_owned = self.n_local = self.shape[0] * plane
        self.offset, self.n_global = rows[0] * plane, grid.n_global_cells

    def with_components(self, components: int) -> CellSpace:
        """Return a space of the same cells with another number of components."""
        return CellSpace(self.mesh, self.rows, components)

    @cached_property
    def points(self) -> np.ndarray:
        """Centres of the cells (n_local, d) [m]."""
        index = np.indices(self.shape).reshape(self.mesh.dim, -1).T.astype(float)
        index[:, 0] += self.rows[0]
        return np.array(self.mesh.corner) + (index + 0.5) * self.mesh.spacing

    def names(self) -> np.ndarray:
        """Return the global numbers of all local cells, (n_local,) int64."""
        return self.offset + np.arange(self.n_owned, dtype=np.int64)

    def zeros(self) -> np.ndarray:
        """Return a zero field array (n_local, components)."""
        return np.zeros((self.n_local, self.components))

    def vector(self) -> PETSc.Vec:
        """Return a new PETSc vector of the unknowns, with its block size set. Collective."""
        from petsc4py import PETSc

        m = self.components
        return PETSc.Vec().createMPI((self.n_owned * m, self.n_global * m), bsize=m, comm=self.comm)

    def near_nullspace(self, kind: str = "constant") -> PETSc.NullSpace:
        """Return the constants, one for each component."""
        from petsc4py import PETSc

        if self.components == 1:
            return PETSc.NullSpace().create(constant=True, comm=self.comm)
        modes = []
        for c in range(self.components):
            one = self.zeros()
            one[:, c] = 1 / np.sqrt(self.n_global)
            modes.append(self.vector())
            modes[-1].setArray(one.ravel())
        return PETSc.NullSpace().create(vectors=modes, comm=self.comm)

    def facet_nodes(self, where: Facets) -> np.ndarray:
        """Return the own cells on one or several sides, sorted."""
        index = np.indices(self.shape).reshape(self.mesh.dim, -1)
        index[0] += self.rows[0]
        on = np.zeros(self.n_owned, dtype=bool)
        for axis, end in sides(where, self.mesh):
            on |= index[axis] == (self.mesh.cells[axis] - 1 if end else 0)
        return np.flatnonzero(on)

    def piece(self) -> Piece:
        """Return the cells of this rank as they are shown; sides of neighbouring ranks appear twice."""
        dim = self.mesh.dim
        closed = [n + 1 for n in self.shape]
        lattice = np.indices(closed).reshape(dim, -1).T + np.eye(1, dim, dtype=int) * self.rows[0]
        points = np.zeros((len(lattice), 3))
        points[:, :dim] = np.array(self.mesh.corner) + lattice * self.mesh.spacing
        corner = np.indices(self.shape).reshape(dim, -1).T
        links = [np.ravel_multi_index(tuple((corner + step).T), closed) for step in CORNERS[dim]]
        ids = np.ravel_multi_index(tuple(lattice.T), [n + 1 for n in self.mesh.cells]).astype(np.int64)
        every = np.arange(len(points))
        return Piece(points, np.stack(links, 1).astype(np.int64), VTK[dim], ids, self.names(), every)


def sides(where: Facets, grid: Grid) -> Iterator[tuple[int, int]]:
    """Yield axis and end of the sides that a condition stands for, each once."""
    for axis in range(grid.dim):
        for end in (0, 1) if grid.ends(axis) else ():
            if EXTERIOR in where.names or SIDES[axis][end] in where.names:
                yield axis, end


class CellPlaces:
    """Positions xs (k, d) in a grid, where fields are interpolated linearly between the centres of cells.

    Exact for linear fields; beyond the outermost centres of a bounded axis the last two are continued. Each
    rank adds the share of its cells.

    Raises
    ------
    InputError
        If a position lies outside the box.
    """

    def __init__(self, grid: Grid, xs: np.ndarray):
        self.comm = grid.comm
        self.xs = np.atleast_2d(np.asarray(xs, dtype=float))
        inside = located(grid, self.xs)
        self.weights = [
            _hats(inside[:, a] * n - 0.5, n, grid.ends(a)) for a, n in enumerate(grid.cells)
        ]  # fmt: skip

    def evaluate(self, space: Any, array: np.ndarray) -> np.ndarray:
        """Return the values of a field array at the positions on all ranks, (k, m). Collective."""
        return np.asarray(self.comm.allreduce(self.share(space, array[: space.n_owned])))

    def share(self, space: Any, rows: Array) -> Array:
        """Return what own rows (n_owned, m), an array or a tensor, add to the values, (k, m)."""
        return of_slab(self.weights, space, rows)


def _hats(s: np.ndarray, n: int, bounded: bool) -> np.ndarray:
    """Return the weights (k, n) of the cells along one axis for positions counted from the first centre."""
    weights, rows = np.zeros((len(s), n)), np.arange(len(s))
    if n == 1:
        weights[:, 0] = 1.0
        return weights
    low = np.floor(s).astype(int)
    low = np.clip(low, 0, n - 2) if bounded else low
    np.add.at(weights, (rows, low % n), 1 - (s - low))
    np.add.at(weights, (rows, (low + 1) % n), s - low)
    return weights


class Whole:
    """All cells of a grid as one body: their stencils tie them together.

    Without ``level`` there is none: a constant that is added to the values does not leave the equations as they are.
    """

    blur = 0.0

    def __init__(self, space: CellSpace, level: bool = True):
        shape, self.count = (space.n_owned, space.components), int(level)
        self.labels = np.full(shape, self.count - 1, dtype=np.int64)
        self.empty = np.zeros(shape, dtype=bool)
        self._dim = space.mesh.dim

    def stops(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return nothing: values on sides enter the rates of cells."""
        return np.empty(0, int), np.empty((0, self._dim)), np.empty(0, int)

    def say(self, chosen: np.ndarray) -> str:
        """Return that it is all of it."""
        return "the grid"
