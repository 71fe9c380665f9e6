"""Eigenvalues of M A from conjugate gradients, whose coefficients are Lanczos's matrix.

C. Lanczos, J. Res. Natl. Bur. Stand. 45 (1950) 255, doi:10.6028/jres.045.026; Y. Saad, Iterative Methods for
Sparse Linear Systems, 2nd ed., 2003, section 6.7.3, doi:10.1137/1.9780898718003.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Operator = Callable[[np.ndarray], np.ndarray]


def extremes(
    product: Operator, precondition: Operator, dot: Callable[..., float], start: np.ndarray, steps: int
) -> tuple[float, float]:
    """Return the smallest and largest of `values`. Collective as ``dot`` is."""
    found = values(product, precondition, dot, start, steps)
    return float(found[0]), float(found[-1])


def values(
    product: Operator, precondition: Operator, dot: Callable[..., float], start: np.ndarray, steps: int
) -> np.ndarray:
    """Return the Ritz values of M A after some steps from a residual, ascending.

    Collective as ``dot`` is.

    Raises
    ------
    ArithmeticError
        If A or M is not positive definite, or a value is not finite.
    """
    r, p = start, np.zeros_like(start)
    diagonal: list[float] = []
    beside: list[float] = []
    energy = first = alpha = 0.0
    for _ in range(steps):
        z = precondition(r)
        before, energy = energy, dot(r, z)
        if diagonal and energy <= 1e-14 * first:
            break
        if not diagonal:
            first = energy
        if not energy > 0:
            raise ArithmeticError(f"rᵀ M r = {energy:.3g}")
        beta = energy / before if before else 0.0
        p = z + beta * p
        image = product(p)
        curvature = dot(p, image)
        if not 0 < curvature < np.inf:
            raise ArithmeticError(f"pᵀ A p = {curvature:.3g}")
        previous, alpha = alpha, energy / curvature
        diagonal.append(1 / alpha + (beta / previous if previous else 0.0))
        if previous:
            beside.append(np.sqrt(beta) / previous)
        r = r - alpha * image
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return np.linalg.eigvalsh(matrix)


def noise(first: int, n: int) -> np.ndarray:
    """Return numbers without pattern that depend on the global row only."""
    at = np.arange(first + 1, first + n + 1, dtype=np.float64)
    x = np.sin(at * 12.9898) * 43758.5453
    return x - np.floor(x) - 0.5
