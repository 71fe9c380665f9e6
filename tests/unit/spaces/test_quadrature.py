"""Rules are exact for all monomials of their stated degree, with positive weights inside the cell."""

from itertools import product
from math import factorial, prod

import numpy as np
import pytest

from plexus.mesh.cells import reference
from plexus.spaces.quadrature import gauss_jacobi, quadrature

DEGREES = range(1, 13)


@pytest.mark.parametrize("cell", ["triangle", "tetrahedron"])
@pytest.mark.parametrize("degree", DEGREES)
def test_simplex_rules(cell, degree):
    rule = quadrature(cell, degree)
    d = reference(cell).dim
    assert rule.degree >= degree
    assert (rule.weights > 0).all()
    assert (rule.points > 0).all()
    assert (rule.points.sum(axis=1) < 1).all()
    for p in product(range(rule.degree + 1), repeat=d):
        if sum(p) <= rule.degree:
            # ∫ x^a y^b z^c = a! b! c! / (a + b + c + d)!
            exact = prod(map(factorial, p)) / factorial(sum(p) + d)
            assert rule.weights @ np.prod(rule.points**p, axis=1) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("cell", ["line", "quadrilateral", "hexahedron"])
@pytest.mark.parametrize("degree", [1, 2, 4, 7])
def test_tensor_rules(cell, degree):
    rule = quadrature(cell, degree)
    for p in product((0, 1, rule.degree), repeat=reference(cell).dim):
        exact = prod(1 / (k + 1) for k in p)
        assert rule.weights @ np.prod(rule.points**p, axis=1) == pytest.approx(exact, rel=1e-12)


def test_low_degrees_take_few_points():
    counts = {(c, k): len(quadrature(c, k).weights) for c in ("triangle", "tetrahedron") for k in (1, 2, 4)}
    assert counts["triangle", 1] == counts["tetrahedron", 1] == 1
    assert counts["triangle", 2] == 3
    assert counts["tetrahedron", 2] == 4
    assert counts["triangle", 4] == 6
    assert counts["tetrahedron", 4] == 14


@pytest.mark.parametrize("a", [0, 1, 2])
def test_gauss_jacobi_weight_function(a):
    s, w = gauss_jacobi(4, a)
    for k in range(8):
        exact = factorial(k) * factorial(a) / factorial(k + a + 1)
        assert w @ s**k == pytest.approx(exact, rel=1e-13)
