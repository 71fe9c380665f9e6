"""Right-hand sides made of Ritz vectors, among which smooth ones are many.

    A V = V T + …,   V = [v_1 … v_m] by Lanczos, fully reorthogonalised, from v_1 ~ A g, g standard normal
    T y_j = θ_j y_j,   b = Σ_j c_j V y_j / ‖·‖,   c_j ~ N(0, 1), times 9 for the lowest modes

Source: A. Kaneda et al., ICML (2023), doi:10.48550/arXiv.2205.10763.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TINY = 1e-8
"""Ritz values up to this are those of a kernel."""
PIECE = 100
"""Samples that are made at once."""


class Ritz(NamedTuple):
    """Lanczos vectors (n, m); Ritz values (k,), ascending, and the vectors of T (m, k)."""

    basis: np.ndarray
    values: np.ndarray
    mixed: np.ndarray


def ritz(product: Callable[[np.ndarray], np.ndarray], n: int, count: int, draw: np.random.Generator) -> Ritz:
    """Return Ritz pairs of a symmetric matrix; kernels are left out.

    Parameters
    ----------
    product
        Return A v for v (n,).
    n, count
        Number of rows, and of pairs at most.
    draw
        Gives the start vector.
    """
    basis = np.empty((min(count, n), n))
    diagonal, beside = np.zeros(len(basis)), np.zeros(len(basis))
    v, size, largest, k = product(draw.standard_normal(n)), 0.0, 0.0, 0
    for k in range(len(basis)):
        for _ in range(2):  # one sweep leaves what rounding made of the first
            v -= (basis[:k] @ v) @ basis[:k]
        size = float(np.linalg.norm(v))
        if k and not size > TINY * largest:
            break  # the space is exhausted
        beside[k], basis[k] = size, v / size
        v = product(basis[k])
        diagonal[k] = basis[k] @ v
        largest = max(largest, abs(diagonal[k]))
    else:
        k = len(basis)
    values, mixed = np.linalg.eigh(np.diag(diagonal[:k]) + np.diag(beside[1:k], 1) + np.diag(beside[1:k], -1))
    kept = values > TINY
    return Ritz(basis[:k].T, values[kept], mixed[:, kept])


def lowest(found: Ritz, share: float) -> int:
    """Return how many modes are the lowest ones."""
    return round(share * len(found.values))


def mixtures(found: Ritz, count: int, share: float, weight: float, draw: np.random.Generator) -> np.ndarray:
    """Return ``count`` right-hand sides of norm one, (count, n) float32; the lowest modes count more."""
    out = np.empty((count, len(found.basis)), dtype=np.float32)
    for at in range(0, count, PIECE):
        c = draw.standard_normal((min(PIECE, count - at), len(found.values)))
        c[:, : lowest(found, share)] *= weight
        c /= np.linalg.norm(c, axis=1, keepdims=True)
        out[at : at + len(c)] = (found.basis @ (found.mixed @ c.T)).T
    return out
