"""The table of the Bingham closure against Bessel functions from their integrals (AF3)."""

import numpy as np
import pytest
import torch

from plexus.closures._bingham import NODES, BinghamTable, bingham_table


def bessel(order, lam, cells=1024):
    """Return exp(-λ) I_n(λ) by the trapezoidal rule, exact to rounding for periodic functions this smooth."""
    theta = np.pi * (np.arange(cells) + 0.5) / cells
    # the integrand is as narrow as λ^(-1/2): for large λ the points are put where it lives
    stretch = np.minimum(1.0, 12 / np.sqrt(lam))[:, None]
    weight = np.exp(lam[:, None] * -2 * np.sin(stretch * theta / 2) ** 2)
    return (weight * np.cos(order * stretch * theta)).mean(axis=1) * stretch[:, 0]


@pytest.fixture(scope="module")
def samples():
    """Return 10⁴ sorted r in [0, 1), dense at both ends, and G(r)."""
    rng = np.random.default_rng(4)
    lam = np.sort(np.concatenate([10 ** rng.uniform(-6, 7, 6000), rng.uniform(0, 60, 4000)]))
    r, g = np.empty_like(lam), np.empty_like(lam)
    for part in np.array_split(np.arange(lam.size), 50):
        zero, one, two = (bessel(n, lam[part]) for n in range(3))
        r[part], g[part] = one / zero, two / zero
    return r, g


def table(r, dtype=torch.float64):
    s = torch.tensor(r * r, dtype=dtype)
    return (s * (1 - (1 - s) * bingham_table("cpu", dtype)(s))).numpy()


def test_error_is_below_1e_8(samples):
    r, g = samples
    assert r.min() < 1e-6 and 1 - r.max() < 1e-6
    assert np.abs(table(r) - g).max() <= 1e-11


def test_check_values():
    r = np.array([0.3, 0.6, 0.9, 0.99])
    assert np.abs(table(r) - [0.046431, 0.208307, 0.660678, 0.960600]).max() <= 5e-7


def test_ends():
    r = np.array([0.0, 1.0, 1e-4, 1 - 1e-6])
    assert np.abs(table(r) - [0, 1, 0.5e-8, 1 - 4e-6]).max() <= 1e-10


def test_is_monotone(samples):
    r = np.sort(np.concatenate([samples[0], np.random.default_rng(1).uniform(0, 1, 10_000), [0.0, 1.0]]))
    assert (np.diff(table(r)) >= 0).all()


def test_single_precision(samples):
    r, g = samples
    assert np.abs(table(r, torch.float32) - g).max() <= 1e-6


def test_pieces_join_smoothly():
    """Value and slope are continuous at the nodes."""
    a, b, c, d = BinghamTable().table.T
    assert (a + b + c + d)[:-1].sub(a[1:]).abs().max() <= 1e-14
    assert (b + 2 * c + 3 * d)[:-1].sub(b[1:]).abs().max() <= 1e-14
    assert a.shape == (NODES,)


def test_values_that_are_not_finite_stay_so():
    q = bingham_table()(torch.tensor([float("nan"), 0.5, float("inf"), -1.0], dtype=torch.float64))
    assert q[0].isnan() and q[1].isfinite() and not q[2].isfinite()
