"""Quadrature on reference cells: ∫_ref f dX ≈ Σ_q w_q f(X_q), exact up to a stated polynomial degree.

Simplices use the unit simplex, quadrilaterals and hexahedra the unit square and cube; a point, the facet of a
line, has the weight 1. Rules of low
degree on simplices are symmetric with positive weights (the tetrahedron's rule of degree 5 solves the
moment equations of the orbit pattern 4 + 4 + 6); higher degrees use Gauss-Jacobi points in collapsed
coordinates, which exist for every degree. All points lie inside the cell.

Sources: P. C. Hammer, A. H. Stroud, Math. Comput. 10 (1956) 137 (degree 2);
D. A. Dunavant, Int. J. Numer. Methods Eng. 21 (1985) 1129, doi:10.1002/nme.1620210612 (triangle 4, 5);
G. H. Golub, J. H. Welsch, Math. Comput. 23 (1969) 221, doi:10.1090/S0025-5718-69-99647-1 (Gauss-Jacobi);
A. H. Stroud, Approximate Calculation of Multiple Integrals (1971) (conical product).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from math import factorial, sqrt

import numpy as np

_DIM = {"point": 0, "line": 1, "triangle": 2, "tetrahedron": 3, "quadrilateral": 2, "hexahedron": 3}
_TENSOR = ("line", "quadrilateral", "hexahedron")

Orbits = list[tuple[tuple[float, ...], float]]


@dataclass(frozen=True)
class Quadrature:
    """A rule: points (Q, d) in the reference cell, weights (Q,) that sum to its volume, exact degree."""

    points: np.ndarray
    weights: np.ndarray
    degree: int


def _tri(a: float, w: float) -> tuple[tuple[float, ...], float]:
    return (1 - 2 * a, a, a), w


def _tet(a: float, w: float) -> tuple[tuple[float, ...], float]:
    return (1 - 3 * a, a, a, a), w


def _symmetric() -> dict[str, dict[int, Orbits]]:
    """Orbits (barycentric coordinates, weight of each point relative to the volume) by cell and degree."""
    r5, r10, r15 = sqrt(5), sqrt(10), sqrt(15)
    inner = sqrt(38 - 44 * sqrt(2 / 5))
    wide = sqrt(213125 - 53320 * r10)
    triangle: dict[int, Orbits] = {
        1: [((1 / 3,) * 3, 1.0)],
        2: [_tri(1 / 6, 1 / 3)],
        4: [
            _tri((8 - r10 + inner) / 18, (620 + wide) / 3720),
            _tri((8 - r10 - inner) / 18, (620 - wide) / 3720),
        ],
        5: [
            ((1 / 3,) * 3, 9 / 40),
            _tri((6 + r15) / 21, (155 + r15) / 1200),
            _tri((6 - r15) / 21, (155 - r15) / 1200),
        ],
    }
    c = 0.045503704125649649
    tetrahedron: dict[int, Orbits] = {
        1: [((1 / 4,) * 4, 1.0)],
        2: [_tet((5 - r5) / 20, 1 / 4)],
        5: [
            _tet(0.31088591926330061, 0.11268792571801585),
            _tet(0.092735250310891226, 0.073493043116361950),
            ((c, c, 0.5 - c, 0.5 - c), 0.042546020777081466),
        ],
    }
    return {"triangle": triangle, "tetrahedron": tetrahedron}


def _expand(orbits: Orbits, degree: int) -> Quadrature:
    """Spread each orbit over the permutations of its barycentric coordinates."""
    points, weights = [], []
    for bary, w in orbits:
        images = sorted(set(permutations(bary)))
        points += [b[1:] for b in images]
        weights += [w / factorial(len(bary) - 1)] * len(images)
    return Quadrature(np.array(points), np.array(weights), degree)


def gauss_jacobi(n: int, a: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of ∫_0^1 (1-s)^a f(s) ds, exact for polynomials of degree 2n-1.

    The points are the eigenvalues of the Jacobi matrix of the polynomials orthogonal under
    (1-x)^a on [-1, 1], mapped by s = (1+x)/2; the weights come from the eigenvectors.
    """
    k = np.arange(1, n)
    i = np.arange(n)
    # a = 0 (Legendre) has zero diagonal; the general quotient would be 0/0 at i = 0
    diagonal = np.zeros(n) if a == 0 else -(a**2) / ((2 * i + a) * (2 * i + a + 2))
    off = np.sqrt(4 * k**2 * (k + a) ** 2 / ((2 * k + a) ** 2 * (2 * k + a + 1) * (2 * k + a - 1)))
    x, v = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return (1 + x) / 2, v[0] ** 2 / (a + 1)


def _tensor(dim: int, degree: int) -> Quadrature:
    s, w = gauss_jacobi(degree // 2 + 1, 0)
    points = np.stack([g.ravel() for g in np.meshgrid(*[s] * dim, indexing="ij")], axis=1)
    weights = np.prod(np.stack([g.ravel() for g in np.meshgrid(*[w] * dim, indexing="ij")]), axis=0)
    return Quadrature(points, weights, 2 * (degree // 2) + 1)


def _conical(dim: int, degree: int) -> Quadrature:
    """Collapse the unit cube onto the simplex: X_0 = s_0, X_1 = (1-s_0) s_1 and so on.

    The Jacobian (1-s_0)^(d-1) (1-s_1)^(d-2) … is the weight function of the one-dimensional rules.
    """
    n = degree // 2 + 1
    rules = [gauss_jacobi(n, dim - 1 - i) for i in range(dim)]
    s = np.meshgrid(*[r[0] for r in rules], indexing="ij")
    w = np.prod(np.stack(np.meshgrid(*[r[1] for r in rules], indexing="ij")), axis=0)
    rest, columns = np.ones_like(w), []
    for axis in s:
        columns.append((rest * axis).ravel())
        rest = rest * (1 - axis)
    return Quadrature(np.stack(columns, axis=1), w.ravel(), 2 * n - 1)


@lru_cache
def quadrature(cell: str, degree: int) -> Quadrature:
    """Return a rule on the reference ``cell`` that is exact at least for polynomials of ``degree``.

    On quadrilaterals and hexahedra the degree is meant per coordinate.

    Raises
    ------
    KeyError
        If the cell type is unknown.
    """
    dim = _DIM[cell]
    if dim == 0:
        return Quadrature(np.empty((1, 0)), np.ones(1), degree)
    if cell in _TENSOR:
        return _tensor(dim, degree)
    rules = _symmetric()[cell]
    stated = min((k for k in rules if k >= degree), default=None)
    return _conical(dim, degree) if stated is None else _expand(rules[stated], stated)
