"""Proper orthogonal decomposition of snapshots that are spread over ranks.

    C = Sᵀ M S,    C v_j = λ_j v_j,    ψ_j = S v_j/√λ_j,    ψ_iᵀ M ψ_j = δ_ij

S holds one snapshot per column, M is the matrix of the inner product (L. Sirovich, Quart. Appl. Math. 45
(1987) 561, doi:10.1090/qam/910462). C squares the condition of S: modes of a small λ_j come out orthogonal to
ε λ_1/λ_j only, and a second pass (Cholesky, A. Stathopoulos, K. Wu, SIAM J. Sci. Comput. 23 (2002) 2165,
doi:10.1137/S1064827500370883) makes them so to rounding. What lies below 1e-7 of the largest singular value
is rounding of C and is not to be had in this way. Columns that an incremental decomposition has made
(`plexus.reduction.incremental`) are nearly orthogonal, and C tells them whatever their lengths.
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
        All λ that were found, the modes that are left out among them; the last ones may be rounding.
    """

    modes: Array
    values: Array
    spectrum: Array


def gram(comm: Comm, a: Array, b: Array) -> Array:
    """Return aᵀ b over all ranks, (k, l); one reduction. Collective."""
    local = np.ascontiguousarray(a.T @ b)
    total: Array = comm.allreduce(local)
    return total


def pod(
    comm: Comm, snapshots: Array, product: Product, tolerance: float, most: int | None = None,
    left: float = 0.0,
) -> Basis:  # fmt: skip
    """Return the modes that hold all but a share of the snapshots. Collective.

    Kept are those with √λ above ``tolerance`` √λ_1 and, if these are fewer, as many as leave out a share of
    at most ``tolerance``² of Σ λ, of which ``left`` is lost already.

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
    left : float
        Σ λ of what no longer is in the snapshots: those of an incremental decomposition.

    Raises
    ------
    InputError
        If the tolerance is finer than a Gram matrix can tell, or if all snapshots are zero.
    """
    if tolerance < FINEST:
        raise InputError(f"tolerance {tolerance:g}: the spectrum of snapshots is rounding below {FINEST:g}")
    sizes, axes = principal(gram(comm, snapshots, product(snapshots)))
    if not sizes[0] > 0:
        raise InputError("all snapshots are zero: there is nothing to reduce")
    values = sizes**2
    n = min(kept(values, tolerance, left), most or len(values))
    modes = snapshots @ (axes[:, :n] / sizes[:n])
    return Basis(orthonormal(comm, modes, product), values[:n], values)


def kept(values: Array, tolerance: float, left: float = 0.0) -> int:
    """Return how many falling λ > 0 are kept, where a sum ``left`` of further ones is lost already."""
    above = int((values > tolerance**2 * values[0]).sum())
    behind = values.sum() - np.cumsum(values) + left
    enough = int(np.argmax(behind <= tolerance**2 * (values.sum() + left))) + 1
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


def principal(c: Array) -> tuple[Array, Array]:
    """Return the falling singular values (k,) of columns S with C (k, k), and Z of orthogonal S Z, (k, k).

    With C = D Ĉ D, Ĉ = V Λ Vᵀ of unit diagonal, the singular value decomposition of R = √Λ Vᵀ D, RᵀR = C,
    gives Z. So columns that are small but far from parallel keep their digits (J. Demmel, K. Veselić, SIAM J.
    Matrix Anal. Appl. 13 (1992) 1204, doi:10.1137/0613074).
    """
    lengths = np.sqrt(np.diag(c))
    scale = 1 / np.where(lengths > 0, lengths, 1.0)
    values, vectors = np.linalg.eigh(scale[:, None] * ((c + c.T) / 2) * scale)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T * lengths
    _, sizes, axes = np.linalg.svd(root)
    return sizes, np.ascontiguousarray(axes.T)


def coordinates(comm: Comm, modes: Array, product: Product, fields: Array) -> Array:
    """Return the coordinates ψᵀ M u of the projections of fields (n_rows, k), (n, k). Collective."""
    # M is symmetric, and fields are fewer than modes
    return gram(comm, modes, product(fields))
