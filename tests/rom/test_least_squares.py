"""Least squares of columns that come and go: equal to those of all columns at once."""

from __future__ import annotations

import numpy as np
import pytest

from plexus.reduction.leastsquares import ROOM, LeastSquares

RNG = np.random.default_rng(3)


def filled(columns, b):
    fit = LeastSquares(b)
    for column in columns:
        fit.append(column)
    return fit


def test_columns_come_and_go():
    """More than there is room for at first; from the first, from between, and the last one."""
    columns, b = RNG.standard_normal((ROOM + 9, 90)), RNG.standard_normal(90)
    fit, left = filled(columns, b), list(range(ROOM + 9))
    for k in (0, 17, 40, len(left) - 4):
        fit.remove(k)
        del left[k]
    fit.append(columns[17])
    left.append(17)
    right = np.linalg.lstsq(columns[left].T, b, rcond=None)[0]
    np.testing.assert_allclose(fit.solution(), right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rows", [6, 3])
def test_dependent_columns_have_the_shortest_solution(rows):
    """A column twice, and more columns than rows; without what is too much there is one solution again."""
    columns, b = RNG.standard_normal((4, rows)), RNG.standard_normal(rows)
    columns[2] = columns[0]
    fit = filled(columns, b)
    np.testing.assert_allclose(fit.solution(), np.linalg.pinv(columns.T) @ b, rtol=1e-9)
    fit.remove(0)
    np.testing.assert_allclose(fit.solution(), np.linalg.lstsq(columns[1:].T, b, rcond=None)[0], rtol=1e-9)
