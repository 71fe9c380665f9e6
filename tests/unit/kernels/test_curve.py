"""Compiled curves beside NumPy's."""

import numpy as np
import pytest

from plexus_kernels.native.curve import Curve


@pytest.mark.parametrize("knots", [2, 3, 10, 24, 25, 400])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (33, 4)])
def test_interpolation(knots: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(knots)
    xs, ys = np.sort(rng.uniform(-3, 3, knots)), np.exp(rng.normal(0, 5, knots))
    x = rng.uniform(-4, 4, shape)
    x.ravel()[: min(knots, x.size)] = xs[: x.size]
    y, beyond = Curve(xs, ys, (-3.5, 3.5))(x)
    assert y.shape == shape
    np.testing.assert_allclose(y, np.interp(x, xs, ys), rtol=1e-13)
    assert beyond == ((x < -3.5) | (x > 3.5)).sum()


def test_no_number_stays_none_and_ends_hold() -> None:
    at = np.array([np.nan, -np.inf, np.inf, 1.0, 0.0])
    y, beyond = Curve([0.0, 1.0], [2.0, 5.0], (0.0, 1.0))(at)
    np.testing.assert_array_equal(y, [np.nan, 2.0, 5.0, 5.0, 2.0])
    assert beyond == 2


def test_views_are_read_as_they_stand() -> None:
    x = np.linspace(0, 1, 24).reshape(6, 4)[::2, ::3]
    np.testing.assert_allclose(Curve([0.0, 1.0], [0.0, 2.0], (0, 1))(x)[0], 2 * x)
