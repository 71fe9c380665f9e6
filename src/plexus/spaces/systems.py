"""Rows of a linear system over the ranks, where they are shown, and values at places.

A block of unknowns has a place: its cell of a grid, its coordinates, or, without either, its number x. Field
arrays are (n_local, m) float64, own blocks first; there are no ghosts.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError
from plexus.io.piece import Piece
from plexus.mesh.grid import Grid
from plexus.spaces.cells import CellSpace, NoHalo
from plexus.spaces.grid import located

if TYPE_CHECKING:
    from petsc4py import PETSc

    from plexus.protocols import Layout

VERTEX = 1
"""VTK's number of a point."""


class SystemSpace:
    """The blocks of one rank with ``components`` unknowns each.

    Parameters
    ----------
    layout
        Own blocks and where they stand.
    components
        Unknowns of a block; those of the layout if not told.
    """

    degree, key = 0, "rows"
    halo = NoHalo()

    def __init__(self, layout: Layout, components: int | None = None):
        self.layout, self.comm = layout, layout.comm
        self.components = layout.components if components is None else components
        self.n_owned = self.n_local = layout.n_owned
        self.offset, self.n_global = layout.offset, layout.n_global

    def with_components(self, components: int) -> SystemSpace:
        """Return a space of the same blocks with another number of unknowns."""
        return SystemSpace(self.layout, components)

    @cached_property
    def shown(self) -> CellSpace | Cloud:
        """All own cells of the grid; without one the blocks as points."""
        layout = self.layout
        if not layout.cells:
            return Cloud(self)
        bounded = (True,) * len(layout.cells)
        grid = Grid(self.comm, layout.cells, layout.size, layout.origin, bounded)
        return CellSpace(grid, layout.layers)

    @cached_property
    def points(self) -> np.ndarray:
        """Places of the own blocks (n_owned, d) [m]."""
        layout = self.layout
        if layout.cell is not None:
            return self.shown.points[layout.cell]
        return self.names()[:, None].astype(float) if layout.points is None else layout.points

    def names(self) -> np.ndarray:
        """Return the global numbers of the own blocks, (n_owned,) int64."""
        return self.offset + np.arange(self.n_owned, dtype=np.int64)

    def zeros(self) -> np.ndarray:
        """Return a zero field array (n_local, components)."""
        return np.zeros((self.n_local, self.components))

    def vector(self) -> PETSc.Vec:
        """Return a new PETSc vector of the unknowns, with its block size set. Collective."""
        from petsc4py import PETSc

        m = self.components
        return PETSc.Vec().createMPI((self.n_owned * m, self.n_global * m), bsize=m, comm=self.comm)

    def spread(self, rows: np.ndarray) -> np.ndarray:
        """Return values (n_owned, m) of blocks where they are shown: zero in cells without one."""
        if self.layout.cell is None:
            return rows
        found = np.zeros((self.shown.n_owned, rows.shape[1]))
        found[self.layout.cell] = rows
        return found


class Cloud:
    """The blocks of a system without a grid as points, each a cell of its own."""

    degree = 0

    def __init__(self, space: SystemSpace):
        self.comm, self.n_owned, self.n_local = space.comm, space.n_owned, space.n_local
        self.n_global, self._space = space.n_global, space
        self.mesh = self
        self.dim = self.points.shape[1]

    @property
    def points(self) -> np.ndarray:
        """Places (n_owned, d) [m]."""
        return self._space.points

    def names(self) -> np.ndarray:
        """Return the global numbers of the own points."""
        return self._space.names()

    def piece(self) -> Piece:
        """Return the points of this rank."""
        points, every = np.zeros((self.n_owned, 3)), np.arange(self.n_owned)
        points[:, : self.dim] = self.points
        return Piece(points, every[:, None], VERTEX, self.names(), self.names(), every)


class CellOf:
    """The cells of a grid that hold positions xs (k, d): a value there is that of its cell.

    Raises
    ------
    InputError
        If a position lies outside of the grid, or in a cell without an unknown.
    """

    def __init__(self, space: SystemSpace, xs: np.ndarray):
        self.comm, layout, shown = space.comm, space.layout, space.shown
        assert isinstance(shown, CellSpace) and layout.cell is not None, "a system on a grid has cells"
        cells = np.array(layout.cells)
        at = np.clip((located(shown.mesh, np.atleast_2d(xs)) * cells).astype(int), 0, cells - 1)
        self._here = (at[:, 0] >= layout.layers[0]) & (at[:, 0] < layout.layers[1])
        inside = at - np.array([layout.layers[0], *[0] * (len(cells) - 1)])
        inside[~self._here] = 0
        self._cell = np.ravel_multi_index(tuple(inside.T), shown.shape)
        empty = self._here & ~np.isin(self._cell, layout.cell)
        for k in np.flatnonzero(self.comm.allreduce(empty.astype(int))):
            where = ", ".join(f"{x:g}" for x in np.atleast_2d(xs)[k])
            raise InputError(f"({where}) lies in a cell without an unknown")

    def evaluate(self, space: CellSpace, array: np.ndarray) -> np.ndarray:
        """Return the values of rows (n_owned, m) at the positions on all ranks, (k, m). Collective."""
        mine = np.where(self._here[:, None], array[self._cell], 0.0)
        return np.asarray(self.comm.allreduce(mine))


class PointOf:
    """The blocks of a system without a grid at positions xs (k, d), which must be those of blocks.

    Raises
    ------
    InputError
        If no block is at a position.
    """

    def __init__(self, space: SystemSpace, xs: np.ndarray):
        self.comm, xs = space.comm, np.atleast_2d(np.asarray(xs, dtype=float))
        if xs.shape[1] != space.points.shape[1]:
            raise InputError(f"a position here has {space.points.shape[1]} coordinates, not {xs.shape[1]}")
        hits = [np.flatnonzero((space.points == x).all(axis=1)) for x in xs]
        first = [int(space.offset + h[0]) if len(h) else space.n_global for h in hits]
        every = np.array(self.comm.allgather(first)).min(axis=0)
        for x in xs[every == space.n_global]:
            raise InputError(f"no unknown is at ({', '.join(f'{v:g}' for v in x)})")
        self._row = every - space.offset
        self._here = (self._row >= 0) & (self._row < space.n_owned)

    def evaluate(self, space: Cloud, array: np.ndarray) -> np.ndarray:
        """Return the values of rows (n_owned, m) at the positions on all ranks, (k, m). Collective."""
        mine = np.zeros((len(self._row), array.shape[1]))
        mine[self._here] = array[self._row[self._here]]
        return np.asarray(self.comm.allreduce(mine))
