"""The arithmetic of comparisons with the kinetic truth, on data whose answer is known."""

import math

import pytest
import torch

from plexus.learning import metrics
from plexus.models.suspension import spins
from plexus.models.suspension.stress import closed_stress, components


def test_relative_mse_of_a_tenth_is_a_hundredth():
    true = torch.randn(7, 5, dtype=torch.complex128)
    assert metrics.relative_mse(1.1 * true, true) == pytest.approx(0.01)


def test_stress_from_spins_is_the_contraction_of_tensors():
    torch.manual_seed(0)
    zeta, c = 0.7, 1 + 0.1 * torch.randn(4, 4, dtype=torch.float64)
    f1, f2, e = (0.5 * torch.randn(4, 4, dtype=torch.complex128) for _ in range(3))
    fields = {"c": c, "f1": f1, "e": e}
    t = spins.traceless(2 * e) + 2 * zeta * spins.second_order(c, f1)
    full = spins.contract(spins.fourth_order(c, f1, f2), t)
    found = components(*closed_stress(fields, f2, zeta))
    for place, component in zip((0, 1, 3), found, strict=True):
        torch.testing.assert_close(component, full[place])


def test_stress_error_is_the_mean_over_components():
    zero = torch.zeros(10)
    trace, spin = torch.full((10,), 2.0), torch.full((10,), 2j)  # components 1, -1, 1
    off = (spin, trace + 0.2)  # 11 and 22 are 10 % off, 12 is exact
    assert metrics.stress_mse(off, (spin, trace)) == pytest.approx(2 / 3 * 0.01)
    assert metrics.stress_mse((spin, trace + zero), (spin, trace)) == 0


def test_horizons_are_found_between_samples():
    times = torch.tensor([0.0, 1.0, 2.0, 3.0])
    errors = torch.tensor([0.0, 0.1, 0.5, 0.9])
    assert metrics.horizons(times, errors) == pytest.approx([0.5, 1.5, math.inf])


def test_an_error_that_is_not_finite_exceeds_every_level():
    times, errors = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 0.01, math.nan])
    assert metrics.horizons(times, errors) == [2.0, 2.0, 2.0]


def test_the_first_excess_counts():
    errors = torch.tensor([0.0, 0.4, 0.2, 0.4])
    assert metrics.horizons(torch.arange(4.0), errors, (0.3,)) == pytest.approx([0.75])


def test_windows_hold_their_ends():
    times = torch.arange(0, 41) * 0.1
    assert int(metrics.window(times, 1.0, 2.0).sum()) == 11
    true, found = torch.zeros(41), torch.where(times < 1.95, -1.0, 3.0)
    assert metrics.mean_error(times, found, true, 1.0, 2.0) == pytest.approx((10 + 3) / 11)


def test_spectrum_error_of_a_constant_factor_is_its_logarithm():
    true = torch.rand(12) + 0.5
    assert metrics.spectrum_error(100 * true, true) == pytest.approx(2.0)


def test_shells_hold_the_energy_of_a_wave():
    n = 32
    x = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
    u = torch.stack([torch.sin(3 * x)[:, None] + 0 * x, 2 * torch.cos(4 * x) + 0 * x[:, None]])
    energy = metrics.shells(u, 6)
    # mean of u²/2 of an amplitude a is a²/4
    assert energy.tolist() == pytest.approx([0, 0, 0.25, 1.0, 0, 0], abs=1e-14)
    assert float(metrics.shells(torch.randn(2, n, n), 24).sum()) > 0
