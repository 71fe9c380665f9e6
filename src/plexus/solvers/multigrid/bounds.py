"""Intervals in which the eigenvalues of a smoother and of a cycle lie: of D⁻¹A, and of M A."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpi4py import MPI

from plexus.solvers.multigrid import lanczos
from plexus.solvers.multigrid.matrices import Matrix
from plexus_kernels.native.multigrid import Cycle, Level

M_MATRIX = 2.0
"""What bounds the eigenvalues of D⁻¹A for all M-matrices."""
STEPS, MARGIN = 12, 1.05
"""Lanczos steps of a bound, and what the largest Ritz value may miss."""
AGAIN = 6, 1.1
"""The same for a matrix like one before."""


def of_smoother(matrix: Matrix, level: Level, bits: int, unknown: bool = True) -> float:
    """Return a bound of the eigenvalues of D⁻¹A, by products of the level in a precision. Collective.

    Gershgorin's max_i Σ_j |a_ij| / a_ii where it is at most two, as for all M-matrices; elsewhere it is far
    too large, and a Ritz value with a margin takes its place; fewer steps with a wider margin where the
    eigenvalue is not ``unknown`` but that of a matrix like one before.
    """
    own = matrix.diagonal[: matrix.n]
    row = float(matrix.comm.allreduce(np.max(matrix.sizes / own, initial=0.0), MPI.MAX))
    if row <= M_MATRIX + 1e-9:
        return M_MATRIX
    halo = (lambda _, vector: matrix.halo.forward(vector)) if matrix.comm.size > 1 else None
    product = _call(Cycle([level], bits, False, halo).product, matrix.n, 0)
    steps, margin = (STEPS, MARGIN) if unknown else AGAIN
    return min(row, margin * _extremes(matrix, product, lambda r: r / own, steps)[1])


def of_cycle(matrix: Matrix, cycle: Cycle, level: int) -> tuple[float, float]:
    """Return the interval of M A for the cycle M from a level on. Collective."""
    product, apply = (_call(f, matrix.n, level) for f in (cycle.product, cycle.apply))
    low, high = _extremes(matrix, product, apply, STEPS)
    return low, MARGIN * high


def _extremes(
    matrix: Matrix, product: lanczos.Operator, apply: lanczos.Operator, steps: int
) -> tuple[float, float]:
    def dot(a: np.ndarray, b: np.ndarray) -> float:
        own = float(a @ b)
        return own if matrix.comm.size == 1 else float(matrix.comm.allreduce(own))

    # an image has nothing of a kernel
    start = product(lanczos.noise(matrix.first, matrix.n))
    return lanczos.extremes(product, apply, dot, start, steps)


def _call(function: Callable[..., None], n: int, level: int) -> lanczos.Operator:
    """Return y = f(x) for a function that fills y."""

    def run(x: np.ndarray) -> np.ndarray:
        y = np.empty(n)
        function(x, y, level)
        return y

    return run
