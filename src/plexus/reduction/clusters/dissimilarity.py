"""How different fields or spaces of fields are, from their Gram matrix G = SᵀMS alone.

    sine        d_ij = sin ∠(u_i, u_j) = √(1 - G_ij²/(G_ii G_jj))
    angles      d_ij = √(Σ_k sin² θ_k/max(n_i, n_j)), with the principal angles θ_k of the spaces of members
    euclidean   d_ij = |u_i - u_j|_M = √(G_ii + G_jj - 2 G_ij)

The first two know neither sign nor size. Of spaces of unequal dimension every direction that one lacks counts
as π/2 (K. Ye, L.-H. Lim, SIAM J. Matrix Anal. Appl. 37 (2016) 1176, doi:10.1137/15M1054201). Their use for
local bases: T. Daniel, F. Casenave, N. Akkari, A. Ketata, D. Ryckelynck, J. Comput. Phys. 458 (2022) 111120,
doi:10.1016/j.jcp.2022.111120. The fields of many ranks are in G, which one reduction adds up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plexus.errors import InputError

Array = np.ndarray


def sine(gram: Array) -> Array:
    """Return the sines of the angles between fields, (k, k), of their Gram matrix (k, k).

    Raises
    ------
    InputError
        If a field is zero: it has no direction.
    """
    _require_lengths(gram)
    lengths = np.sqrt(np.diag(gram))
    found: Array = np.sqrt(np.clip(1.0 - (gram / np.outer(lengths, lengths)) ** 2, 0.0, 1.0))
    np.fill_diagonal(found, 0.0)
    return found


def euclidean(gram: Array) -> Array:
    """Return the distances of fields in the norm of their Gram matrix, (k, k)."""
    squares = np.diag(gram)
    found: Array = np.sqrt(np.clip(squares[:, None] + squares - 2 * gram, 0.0, None))
    np.fill_diagonal(found, 0.0)
    return found


def angles(gram: Array, members: Sequence[slice], rank: int) -> Array:
    """Return the chordal distances of the spaces that members span, from 0 to 1, (members, members).

    Parameters
    ----------
    gram : array (k, k)
        Gram matrix of all fields.
    members : sequence of slice
        The fields of each member.
    rank : int
        Most directions of a member: the leading ones of its own decomposition.

    Raises
    ------
    InputError
        If all fields of a member are zero.
    """
    frames = [_frame(gram[part, part], rank) for part in members]
    sizes = np.array([frame.shape[1] for frame in frames])
    w = np.zeros((len(gram), int(sizes.sum())))
    ends = np.cumsum([0, *sizes])
    for part, frame, a, b in zip(members, frames, ends, ends[1:], strict=False):
        w[part, a:b] = frame
    cosines = w.T @ gram @ w
    # Σ sin² = larger dimension - |V_iᵀ M V_j|²
    shared = np.add.reduceat(np.add.reduceat(cosines**2, ends[:-1], 0), ends[:-1], 1)
    larger = np.maximum(sizes[:, None], sizes)
    found: Array = np.sqrt(np.clip(1.0 - shared / larger, 0.0, 1.0))
    np.fill_diagonal(found, 0.0)
    return found


def _frame(gram: Array, rank: int) -> Array:
    """Return the coefficients of an orthonormal basis of a member's fields, (k, n ≤ rank)."""
    _require_lengths(gram[-1:, -1:])
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    values, vectors = values[::-1][:rank], vectors[:, ::-1][:, :rank]
    # below 1e-12 of the largest there is only the rounding of products
    n = int((values > 1e-12 * values[0]).sum())
    found: Array = vectors[:, :n] / np.sqrt(values[:n])
    return found


def _require_lengths(gram: Array) -> None:
    lost = np.flatnonzero(~(np.diag(gram) > 0))
    if len(lost):
        raise InputError(f"field {lost[0]} of {len(gram)} is zero: it has no direction to compare")
