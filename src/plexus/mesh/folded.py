"""Cells whose map is not one to one: det J is not positive everywhere inside.

det J of a cell is a polynomial. On the points of a lattice as fine as its degree it is known exactly; there

    det J(ξ) = Σ_i b_i B_i(ξ),    B_i the Bernstein polynomials, Σ B_i = 1, B_i >= 0,

so that b_i > 0 for all i proves the cell good, and a value <= 0 on the lattice proves it bad. What neither
settles is looked at on a finer lattice. A. Johnen, J.-F. Remacle, C. Geuzaine, J. Comput. Phys. 233 (2013)
359, doi:10.1016/j.jcp.2012.08.051.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import comb, factorial, prod

import numpy as np

from plexus.mesh.cells import Cell
from plexus.mesh.element import element

FINER = 12
"""Steps of the lattice for cells that the coefficients do not settle."""
ROUNDING = 1e-12
"""det J below this share of the largest one of the cell counts as zero."""
AT_ONCE = 20_000
"""Cells per batch, which bounds the memory."""


def folded(cell: Cell, degree: int, x: np.ndarray) -> np.ndarray:
    """Return which cells with nodes at x (C, n, d) are degenerate or folded somewhere, (C,) bool.

    Cells are meant right-handed. Straight simplices have one det J.
    """
    bad = np.zeros(len(x), dtype=bool)
    for start in range(0, len(x), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        bad[part] = _folded(cell, degree, x[part])
    return bad


def place(points: np.ndarray) -> str:
    """Return the middle of a cell's nodes (n, d) as text."""
    return "(" + ", ".join(f"{v:.4g}" for v in points.mean(axis=0)) + ") m"


def _folded(cell: Cell, degree: int, x: np.ndarray) -> np.ndarray:
    order = _order(cell, degree)
    lattice, inverse = _bernstein(cell, order)
    det = _determinants(cell, degree, x, lattice)
    least = ROUNDING * np.abs(det).max(axis=1)
    bad = ~(det > least[:, None]).all(axis=1)
    open_ = np.flatnonzero(~bad & (det @ inverse.T <= 0).any(axis=1))
    if len(open_):
        fine = _determinants(cell, degree, x[open_], _lattice(cell, FINER)[0])
        bad[open_] = ~(fine > least[open_, None]).all(axis=1)
    return bad


def _order(cell: Cell, degree: int) -> int:
    """Return the degree of det J: total on simplices, per coordinate on the others."""
    d = cell.dim
    # ∂x/∂ξ_k has the degree p - 1 in ξ_k and p in the others
    return d * (degree - 1) if cell.simplex else d * degree - 1


def _determinants(cell: Cell, degree: int, x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return det J (C, k) at reference points (k, d)."""
    _, dphi = element(cell.name, degree).tabulate(at)
    return np.linalg.det(np.einsum("cai,kaj->ckij", x, dphi, optimize=True))


def _lattice(cell: Cell, order: int) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Return the points (k, d) of a lattice with so many steps, and their numbers of steps."""
    steps = [s for s in product(range(order + 1), repeat=cell.dim) if not cell.simplex or sum(s) <= order]
    return np.array(steps, dtype=float) / max(order, 1), steps


@lru_cache
def _bernstein(cell: Cell, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lattice and the matrix from values there to Bernstein coefficients."""
    at, steps = _lattice(cell, order)
    if not cell.simplex:
        one = np.array([[comb(order, i) * s**i * (1 - s) ** (order - i) for i in range(order + 1)]
                        for s in np.arange(order + 1) / max(order, 1)])  # fmt: skip
        values = np.array(
            [[prod(one[a, i] for a, i in zip(q, p, strict=True)) for p in steps] for q in steps]
        )
        return at, np.linalg.inv(values)
    # B_p = order!/(p_0! … p_d!) λ^p with barycentric coordinates λ
    bary = np.column_stack([1 - at.sum(axis=1), at])
    powers = [(order - sum(p), *p) for p in steps]
    values = np.array(
        [
            [factorial(order) / prod(map(factorial, p)) * np.prod(b ** np.array(p)) for p in powers]
            for b in bary
        ]
    )
    return at, np.linalg.inv(values)
