"""A distributed sparse matrix as each rank sees it: own rows, columns in a numbering of its own.

Own columns come first, in the order of the rows; those of other ranks follow, and a halo brings their values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.halo import Halo
from plexus.solvers.capi import rows
from plexus_kernels.native.aggregate import Rows, outline, product

if TYPE_CHECKING:
    from mpi4py.MPI import Comm
    from petsc4py import PETSc

ROUNDING = 1e-13
"""Diagonal of a coarse row, relative to those it was made of, that is what cancelling has left."""


@dataclass
class Matrix:
    """Own rows of a square matrix.

    Attributes
    ----------
    comm : communicator of the ranks that share it.
    rows : Rows
        With columns in the local numbering.
    ghosts : (n_ghost,)
        Global numbers of the columns of other ranks, ascending.
    sizes : (n,)
        Σ_j |a_ij|, known with the diagonal.
    """

    comm: Comm
    rows: Rows
    ghosts: np.ndarray
    sizes: np.ndarray = field(init=False)

    @property
    def n(self) -> int:
        """Return the number of own rows."""
        return len(self.rows.ptr) - 1

    @property
    def width(self) -> int:
        """Return the number of columns, those of other ranks included."""
        return self.n + len(self.ghosts)

    @cached_property
    def first(self) -> int:
        """Return the global number of the first own row. Collective at the first access."""
        return first_of(self.comm, self.n)

    @cached_property
    def size(self) -> int:
        """Return the global number of rows. Collective at the first access."""
        return int(self.comm.allreduce(self.n))

    @cached_property
    def halo(self) -> Halo:
        """Return the exchange. Collective at the first access."""
        return Halo.from_global(self.comm, self.n, self.ghosts)

    @cached_property
    def diagonal(self) -> np.ndarray:
        """Return the diagonal, (width,), those of other ranks included. Collective at the first access."""
        found = np.zeros(self.width)
        found[: self.n], self.sizes, _ = outline(self.rows)
        self.halo.forward(found)
        return found

    @cached_property
    def held(self) -> np.ndarray:
        """Return Σ_j a_ij, (n,): sums of finer ones on coarse levels, where entries tell their rounding."""
        return outline(self.rows)[2]

    @cached_property
    def pattern(self) -> bytes:
        """Return a digest of where the entries of the own rows stand."""
        found = blake2b(self.ghosts.tobytes(), digest_size=16)
        for array in self.rows[:2]:
            found.update(array.tobytes())
        return found.digest()

    def like(self, other: Matrix) -> bool:
        """Return whether another matrix has the same pattern on all ranks. Collective."""
        return all(self.comm.allgather(self.pattern == other.pattern))

    def drop(self) -> None:
        """Let go of the entries; sizes, exchange and a pattern that was asked for stay."""
        self.rows = Rows(self.rows.ptr, np.empty(0, np.int32), np.empty(0))
        self.sizes = np.empty(0)
        for name in ("diagonal", "held"):
            vars(self).pop(name, None)

    @property
    def entries(self) -> int:
        """Entries of all ranks. Collective."""
        return int(self.comm.allreduce(int(self.rows.ptr[-1])))

    def hold(self, sizes: np.ndarray | None = None) -> None:
        """Put one on diagonals that are zero: nothing of the near null space is there. Local.

        With ``sizes`` (n,), of what a row was made of, they take the place of what is rounding beside them.
        """
        at = np.repeat(np.arange(self.n), np.diff(self.rows.ptr))
        least, value = (0.0, 1.0) if sizes is None else (ROUNDING * sizes[at], sizes[at])
        free = (self.rows.col == at) & (self.rows.val <= least)
        self.rows.val[free] = self.held[at[free]] = np.broadcast_to(value, free.shape)[free]

    def gathered(self) -> Matrix:
        """Return the whole matrix on every rank. Collective."""
        from mpi4py import MPI

        names = np.concatenate([np.arange(self.first, self.first + self.n), self.ghosts])
        own = np.diff(self.rows.ptr), names[self.rows.col], self.rows.val, self.held
        parts = zip(*self.comm.allgather(own), strict=True)
        lengths, columns, values, held = (np.concatenate(p) for p in parts)
        ptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        whole = Matrix(MPI.COMM_SELF, Rows(ptr, columns.astype(np.int32), values), np.empty(0, np.int64))
        whole.held = held
        return whole


def standing_alone(matrix: Matrix) -> np.ndarray:
    """Return which rows have nothing besides the diagonal, (n,): values are prescribed there. Collective."""
    own = np.abs(matrix.diagonal[: matrix.n])
    return matrix.sizes == own


def positive(matrix: Matrix) -> float:
    """Return Σ a_ij over Σ |a_ij|, the first one over positive entries alone, both for i ≠ j. Collective."""
    own, val = matrix.diagonal[: matrix.n], matrix.rows.val
    size = matrix.sizes.sum() - np.abs(own).sum()
    signed = val.sum() - own.sum()
    total, above = matrix.comm.allreduce(np.array([size, 0.5 * (size + signed)]))
    return float(above / total) if total > 0 else 0.0


def first_of(comm: Comm, n: int) -> int:
    """Return how many the ranks before this one have. Collective."""
    return sum(comm.allgather(n)[: comm.rank])


def of_petsc(mat: PETSc.Mat) -> Matrix:
    """Return the rows of a PETSc matrix. Collective."""
    ptr, col, val = rows(mat)
    comm, ptr = mat.comm.tompi4py(), ptr.astype(np.int32, copy=False)
    if comm.size == 1:
        return Matrix(comm, Rows(ptr, col.astype(np.int32, copy=False), val), np.empty(0, np.int64))
    return Matrix(comm, *local(ptr, col, val, *mat.getOwnershipRange()))


def local(
    ptr: np.ndarray, columns: np.ndarray, val: np.ndarray, begin: int, end: int
) -> tuple[Rows, np.ndarray]:
    """Return rows with local columns, and the global numbers of those of other ranks."""
    away = np.flatnonzero((columns < begin) | (columns >= end))
    ghosts = np.unique(columns[away]).astype(np.int64)
    col = (columns - columns.dtype.type(begin)).astype(np.int32, copy=False)
    col[away] = end - begin + np.searchsorted(ghosts, columns[away])
    return Rows(ptr, col, np.ascontiguousarray(val, np.float64)), ghosts


def coarsen(matrix: Matrix, names: np.ndarray, count: int, weights: np.ndarray | None) -> Matrix:
    """Return Pᵀ A P, without ``weights`` with its row sums. Collective.

    Parameters
    ----------
    matrix : Matrix
        The matrix A.
    names : (n,) int32
        Aggregate of each own row; -1 leaves it out.
    count : int
        Aggregates of this rank.
    weights : (n, k), optional
        Numbers of P in the columns of the aggregate; ones without.
    """
    k = 1 if weights is None else weights.shape[1]
    target, ghosts = numbered(matrix, names, count)
    if weights is not None:
        weights, own = np.zeros((matrix.width, k)), weights
        weights[: matrix.n] = own
        matrix.halo.forward(weights)
    rows = product(matrix.rows, names, target, count, weights)
    coarse = Matrix(matrix.comm, rows, (ghosts[:, None] * k + np.arange(k)).ravel())
    if weights is None:
        # what is left out is coupled to nothing
        inside = names >= 0
        coarse.held = np.bincount(names[inside], matrix.held[inside], count).astype(np.float64)
    return coarse


def numbered(matrix: Matrix, names: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the aggregate of each column, (width,) int32, and the ghosts of the coarse matrix. Collective.

    A column without aggregate has -1. Those of other ranks come behind the ``count`` own ones, in the order
    of the ghosts.
    """
    first = first_of(matrix.comm, count)
    known = np.full(matrix.width, -1, np.int64)
    known[: matrix.n] = np.where(names < 0, -1, first + names)
    matrix.halo.forward(known)
    away = known[matrix.n :]
    ghosts = np.unique(away[away >= 0])
    target = np.full(matrix.width, -1, np.int32)
    target[: matrix.n] = names
    target[matrix.n :] = np.where(away < 0, -1, count + np.searchsorted(ghosts, away))
    return target, ghosts
