"""Aggregates of nodes with several unknowns: what P holds of the near null space.

P takes, on each aggregate, an orthonormal basis of the near null space B restricted to it, so that B = P B_c
exactly; rigid motions then are coarse functions. P. Vaněk, J. Mandel, M. Brezina, Computing 56 (1996) 179,
doi:10.1007/BF02238511. Without smoothing of P the hierarchy stays small; the cycle makes up for it.
"""

from __future__ import annotations

import numpy as np

from plexus.solvers.multigrid.matrices import Matrix, standing_alone
from plexus_kernels.native.aggregate import Rows, product

TINY = 1e-8
"""Length of what is left of a column of B on an aggregate, relative to before, that counts as nothing."""


def condensed(matrix: Matrix, block: int) -> Matrix:
    """Return the matrix of nodes: minus the norm of each block of unknowns, its norm on the diagonal."""
    node = np.arange(matrix.n, dtype=np.int32) // block
    ghosts = matrix.ghosts // block
    names = np.unique(ghosts)
    count = matrix.n // block
    target = np.concatenate([node, count + np.searchsorted(names, ghosts).astype(np.int32)])
    squares = Rows(matrix.rows.ptr, matrix.rows.col, matrix.rows.val**2)
    rows = product(squares, node, target, count, None)
    at = np.repeat(np.arange(count), np.diff(rows.ptr))
    size = np.sqrt(rows.val)
    return Matrix(matrix.comm, Rows(rows.ptr, rows.col, np.where(rows.col == at, size, -size)), names)


def of_nodes(matrix: Matrix, block: int) -> Matrix:
    """Return the matrix of nodes of so many unknowns."""
    return matrix if block == 1 else condensed(matrix, block)


def near_of(matrix: Matrix, block: int, near: np.ndarray | None) -> np.ndarray:
    """Return the near null space of the own rows, (n, k), zero where values are prescribed. Collective.

    Where none is known, None, it is a constant for each of the ``block`` unknowns of a node.
    """
    near = np.tile(np.eye(block), (matrix.n // block, 1)) if near is None else near
    return np.where(standing_alone(matrix)[:, None], 0.0, near)


def basis(near: np.ndarray, names: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of P, (n, k), and B on the next level, (count·k, k).

    Parameters
    ----------
    near : (n, k)
        Near null space B; rows of zeros are left to the smoother.
    names : (n,)
        Aggregate of each row; -1 leaves it out.
    count : int
        Aggregates of this rank.
    """
    k = near.shape[1]
    inside = names >= 0
    w, at = near[inside].copy(), names[inside]
    coarse = np.zeros((count, k, k))

    def dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.bincount(at, a * b, count)

    for j in range(k):
        before = np.sqrt(dots(w[:, j], w[:, j]))
        for _ in range(2):  # one sweep leaves what rounding made of the first
            for i in range(j):
                share = dots(w[:, i], w[:, j])
                coarse[:, i, j] += share
                w[:, j] -= share[at] * w[:, i]
        left = np.sqrt(dots(w[:, j], w[:, j]))
        kept = left > TINY * before
        coarse[:, j, j] = np.where(kept, left, 0.0)
        w[:, j] *= (kept / np.where(kept, left, 1.0))[at]
    weights = np.zeros_like(near)
    weights[inside] = w
    return weights, coarse.reshape(count * k, k)
