"""Proper orthogonal decomposition of snapshots that are spread over ranks.

    C = Sᵀ M S,    C v_j = λ_j v_j,    ψ_j = S v_j/√λ_j,    ψ_iᵀ M ψ_j = δ_ij

S holds one snapshot per column, M is the matrix of the inner product (L. Sirovich, Quart. Appl. Math. 45
(1987) 561, doi:10.1090/qam/910462). C squares the condition of S: modes of a small λ_j come out orthogonal to
ε λ_1/λ_j only, and a second pass (Cholesky, A. Stathopoulos, K. Wu, SIAM J. Sci. Comput. 23 (2002) 2165,
doi:10.1137/S1064827500370883) makes them so to rounding. What lies below 1e-7 of the largest singular value
is rounding of C and is not to be had in this way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
Product = Callable[[Array], Array]
"""M applied to columns (rows of this rank, k); collective."""
FINEST = 1e-7
"""Least relative singular value that a Gram matrix in double precision can tell from rounding."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Modes of a decomposition.

    Attributes
    ----------
    modes : array (n_rows, n)
        Orthonormal modes ψ, the rows of this rank.
    values : array (n,)
        Their λ, falling.
    spectrum : array
        All λ ≥ 0 that were found, the modes that are left out among them.
    """

    modes: Array
    values: Array
    spectrum: Array


def gram(comm: Comm, a: Array, b: Array) -> Array:
    """Return aᵀ b over all ranks, (k, l); one reduction. Collective."""
    local = np.ascontiguousarray(a.T @ b)
    total: Array = comm.allreduce(local)
    return total


def pod(comm: Comm, snapshots: Array, product: Product, tolerance: float, most: int | None = None) -> Basis:
    """Return the modes that hold all but a share of the snapshots. Collective.

    Kept are those with √λ above ``tolerance`` √λ_1 and, if these are fewer, as many as leave out a share of
    at most ``tolerance``² of Σ λ.

    Parameters
    ----------
    comm : Comm
        The ranks that share the rows.
    snapshots : array (n_rows, k)
        One snapshot per column, the rows of this rank.
    product : callable
        M.
    tolerance : float
        Relative singular value below which modes are left out.
    most : int, optional
        Most modes.

    Raises
    ------
    InputError
        If the tolerance is finer than a Gram matrix can tell, or if all snapshots are zero.
    """
    if tolerance < FINEST:
        raise InputError(f"tolerance {tolerance:g}: the spectrum of snapshots is rounding below {FINEST:g}")
    c = gram(comm, snapshots, product(snapshots))
    values, vectors = np.linalg.eigh((c + c.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    if not values[0] > 0:
        raise InputError("all snapshots are zero: there is nothing to reduce")
    # from the first negative value on there is only rounding
    positive = int(np.argmax(values <= 0)) if (values <= 0).any() else len(values)
    n = min(kept(values[:positive], tolerance), most or positive)
    modes = snapshots @ (vectors[:, :n] / np.sqrt(values[:n]))
    return Basis(orthonormal(comm, modes, product), values[:n], values[:positive])


def kept(values: Array, tolerance: float) -> int:
    """Return how many falling λ > 0 are kept."""
    above = int((values > tolerance**2 * values[0]).sum())
    left = values.sum() - np.cumsum(values)
    enough = int(np.argmax(left <= tolerance**2 * values.sum())) + 1
    return max(above, enough)


def orthonormal(comm: Comm, modes: Array, product: Product) -> Array:
    """Return nearly orthonormal modes made so to rounding. Collective."""
    lower = np.linalg.cholesky(gram(comm, modes, product(modes)))
    # ψ L⁻ᵀ spans the same flags of spaces
    made: Array = np.linalg.solve(lower, modes.T).T
    return np.ascontiguousarray(made)


def extended(comm: Comm, modes: Array, product: Product, columns: Array, tolerance: float) -> Array:
    """Return orthonormal modes, and behind them what columns (n_rows, k) have beside their span. Collective.

    Modes that are there stay as they are, so that coordinates keep their meaning. Left out is a rest of at
    most ``tolerance`` of its column.
    """
    for column in columns.T:
        rest, size = column[:, None], _length(comm, product, column[:, None])
        # twice is enough (W. Kahan; L. Giraud et al., Numer. Math. 101 (2005) 87)
        for _ in range(2):
            rest = rest - modes @ coordinates(comm, modes, product, rest)
        length = _length(comm, product, rest)
        if length > tolerance * size:
            again = rest / length
            again = again - modes @ coordinates(comm, modes, product, again)
            modes = np.column_stack([modes, again / _length(comm, product, again)])
    return np.ascontiguousarray(modes)


def _length(comm: Comm, product: Product, column: Array) -> float:
    return float(gram(comm, column, product(column))[0, 0]) ** 0.5


def principal(gram: Array, tolerance: float) -> Array:
    """Return what makes orthogonal modes of columns with a Gram matrix (k, k), coefficients (k, r).

    The modes are as long as their singular values, which fall. With them in the place of the columns that
    they came from, further columns can be added: C of both is that of all columns (incremental
    decomposition, M. Brand, Linear Algebra Appl. 415 (2006) 20, doi:10.1016/j.laa.2005.07.021). Left out is
    what lies below ``tolerance`` of the largest singular value.
    """
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    keep = values > max(tolerance, FINEST) ** 2 * max(values[-1], 0.0)
    return np.ascontiguousarray(vectors[:, keep][:, ::-1])


def coordinates(comm: Comm, modes: Array, product: Product, fields: Array) -> Array:
    """Return the coordinates ψᵀ M u of the projections of fields (n_rows, k), (n, k). Collective."""
    # M is symmetric, and there are fewer fields than modes
    return gram(comm, modes, product(fields))
