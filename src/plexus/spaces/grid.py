"""Points of a periodic grid as nodes of a run: numbers, names, what is shown, values between points.

Slabs of the first axis lie on the ranks. Field arrays are (n_local, m) float64, points in the order of their
global numbers, then, on several ranks, a copy of the next rank's first plane, which closes the shown cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fields.arrays import einsum, like
from plexus.io.piece import Piece
from plexus.mesh.grid import Grid
from plexus.mesh.halo import Halo
from plexus.spaces.search import check_axes, refuse_lost

if TYPE_CHECKING:
    from plexus.protocols import Array

VTK = {1: 3, 2: 9, 3: 12}
"""Dimension -> VTK's number of the cell type."""
_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))
CORNERS: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((0,), (1,)),
    2: _SQUARE,
    3: tuple((*c, k) for k in (0, 1) for c in _SQUARE),
}
"""Dimension -> steps from a cell's lower corner to its corners in VTK's order."""


class GridSpace:
    """The points of one rank with ``components`` values each. Construction is collective.

    Parameters
    ----------
    grid
        The whole grid.
    rows
        First point along the first axis that this rank holds, and the one behind the last.
    """

    degree, key = 1, "grid"

    def __init__(self, grid: Grid, rows: tuple[int, int], components: int = 1, halo: Halo | None = None):
        self.mesh, self.rows, self.components, self.comm = grid, rows, components, grid.comm
        self.plane = math.prod(grid.cells[1:])
        self.n_owned = (rows[1] - rows[0]) * self.plane
        self.offset, self.n_global = rows[0] * self.plane, grid.n_global_cells
        self.alone = grid.comm.size == 1
        beyond = np.arange(0 if self.alone else self.plane) + rows[1] % grid.cells[0] * self.plane
        self.n_local = self.n_owned + len(beyond)
        self._names = np.concatenate([self.offset + np.arange(self.n_owned), beyond]).astype(np.int64)
        self.halo = halo or Halo.from_global(grid.comm, self.n_owned, beyond)

    def with_components(self, components: int) -> GridSpace:
        """Return a space of the same points with another number of components; needs no communication."""
        return GridSpace(self.mesh, self.rows, components, self.halo)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the own part of a field."""
        return (self.rows[1] - self.rows[0], *self.mesh.cells[1:])

    @property
    def points(self) -> np.ndarray:
        """Coordinates (n_local, d) [m]."""
        index = np.unravel_index(self._names, self.mesh.cells)
        return np.stack(index, axis=1) * np.array(self.mesh.spacing)

    def zeros(self) -> np.ndarray:
        """Return a zero field array (n_local, components)."""
        return np.zeros((self.n_local, self.components))

    def names(self) -> np.ndarray:
        """Return the global numbers of all local points, (n_local,) int64."""
        return self._names

    def with_ghosts(self, owned: np.ndarray) -> np.ndarray:
        """Return values (n_owned, m) with those of the next rank's first plane behind them. Collective."""
        if self.alone:
            return owned
        array = np.empty((self.n_local, owned.shape[1]))
        array[: self.n_owned] = owned
        self.halo.forward(array)
        return array

    def piece(self) -> Piece:
        """Return the cells of this rank as they are shown: copies of the first points close the box."""
        cells, dim = self.mesh.cells, self.mesh.dim
        shape = (self.rows[1] - self.rows[0], *cells[1:])
        lattice = np.indices([n + 1 for n in shape]).reshape(dim, -1)
        wrapped = [i % n for i, n in zip(lattice[1:], cells[1:], strict=True)]
        # alone the plane behind the last one is the first one; else it is the plane of ghosts
        first = lattice[0] % shape[0] if self.alone else lattice[0]
        nodes = np.ravel_multi_index((first, *wrapped), (shape[0] + 1, *cells[1:]))
        points = np.zeros((lattice.shape[1], 3))
        points[:, :dim] = (lattice.T + np.eye(1, dim, dtype=int) * self.rows[0]) * self.mesh.spacing
        corner = np.indices(shape).reshape(dim, -1)
        closed = [n + 1 for n in shape]
        links = np.stack(
            [np.ravel_multi_index(tuple((corner.T + step).T), closed) for step in CORNERS[dim]], axis=1
        )
        ids = self.offset + np.arange(self.n_owned, dtype=np.int64)
        return Piece(points, links.astype(np.int64), VTK[dim], self._names[nodes], ids, nodes)


def located(grid: Grid, xs: np.ndarray) -> np.ndarray:
    """Return positions (k, d) as shares of the box, (k, d).

    Raises
    ------
    InputError
        If a position has another number of coordinates, or lies outside the box.
    """
    check_axes(grid, xs)
    shares: np.ndarray = (xs - grid.corner) / np.array(grid.size)
    outside = ((shares < -1e-9) | (shares > 1 + 1e-9)).any(axis=1)
    refuse_lost(xs, ~outside)
    return shares


class GridPlaces:
    """Positions xs (k, d) in a periodic box, where fields are summed up as trigonometric polynomials.

    u(x) = Σ_i u_i Π_a D(x_a - x_i,a), D the periodic sinc of each axis: exact for every resolved field. Each
    rank adds its slab.

    Raises
    ------
    InputError
        If a position lies outside the box.
    """

    def __init__(self, grid: Grid, xs: np.ndarray):
        self.comm = grid.comm
        self.xs = np.atleast_2d(np.asarray(xs, dtype=float))
        located(grid, self.xs)
        self.weights = [
            periodic_sinc(n, 2 * np.pi * (self.xs[:, a, None] / grid.size[a] - np.arange(n) / n))
            for a, n in enumerate(grid.cells)
        ]

    def evaluate(self, space: GridSpace, array: np.ndarray) -> np.ndarray:
        """Return the values of a field array at the positions on all ranks, (k, m). Collective."""
        return np.asarray(self.comm.allreduce(self.share(space, array[: space.n_owned])))

    def share(self, space: Any, rows: Array) -> Array:
        """Return what own rows (n_owned, m), an array or a tensor, add to the values, (k, m)."""
        return of_slab(self.weights, space, rows)


def of_slab(weights: Sequence[np.ndarray], space: Any, rows: Array) -> Array:
    """Return Σ_i w_i(x) u_i over the slab of a rank, (k, m), for weights (k, n) along each axis."""
    first, last = space.rows
    mine = like(weights[0][:, first:last], rows)
    value = (mine @ rows.reshape(last - first, -1)).reshape(-1, *space.shape[1:], rows.shape[1])
    for weight in weights[1:]:
        value = einsum("kj,kj...->k...", like(weight, rows), value)
    return value


def periodic_sinc(n: int, angle: np.ndarray) -> np.ndarray:
    """Return D(φ) = Σ_(|k| < n/2) e^{ikφ}/n, with the mode n/2 of an even n taken as cos(nφ/2)/n.

    >>> periodic_sinc(4, np.array([0.0, np.pi / 2])).round(12)
    array([1., 0.])
    """
    half = np.sin(angle / 2)
    at_point = np.abs(half) < 1e-12
    below = np.where(at_point, 1.0, half if n % 2 else np.tan(angle / 2))
    return np.where(at_point, 1.0, np.sin(n * angle / 2) / (n * below))
