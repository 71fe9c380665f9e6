"""Spectra, distributions and moments against direct sums."""

import math

import pytest
import torch

from plexus.spaces import statistics
from plexus.spaces.fourier import Fourier


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("cells", [(16, 16), (12, 10, 8)])
def test_spectrum_sums_to_the_mean_square(cells, real):
    space = Fourier(cells, (2.0,) * len(cells), real=real)
    torch.manual_seed(0)
    u = torch.randn(2, *cells, dtype=torch.float64 if real else torch.complex128)
    found = statistics.spectrum(space, space.forward(u))
    assert torch.allclose(found.sum(-1), space.mean(u.abs() ** 2))


def test_spectrum_of_one_wave_lies_in_one_shell():
    space = Fourier((32, 32), (10.0, 10.0), real=True)
    x, y = space.points()
    wave = torch.cos(2 * math.pi / 10 * (3 * x + 4 * y))
    found = statistics.spectrum(space, space.forward(wave))
    assert float(found[5]) == pytest.approx(0.5)
    assert float(found.sum() - found[5]) == pytest.approx(0, abs=1e-15)


def test_energy_spectrum_of_a_velocity():
    space = Fourier((16, 16), (1.0, 1.0), real=True)
    u = torch.randn(2, 16, 16, dtype=torch.float64)
    assert float(statistics.energy_spectrum(space, space.forward(u)).sum()) == pytest.approx(
        float((u**2).sum()) / 512
    )


def test_moments_of_a_sine():
    space = Fourier((64, 4), (1.0, 1.0), real=True)
    u = 2 + torch.sin(2 * math.pi * space.points()[0]).expand(64, 4)
    found = {name: float(value) for name, value in statistics.moments(space, u).items()}
    assert found == pytest.approx({"mean": 2, "variance": 0.5, "skewness": 0, "flatness": 1.5}, abs=1e-12)


def test_density_integrates_to_one_and_follows_the_values():
    space = Fourier((100, 10), (1.0, 1.0), real=True)
    ramp = (torch.arange(100, dtype=torch.float64) / 99).reshape(100, 1).expand(100, 10)
    values, edges = statistics.density(space, ramp, bins=10)
    assert float((values * edges.diff()).sum()) == pytest.approx(1)
    assert torch.allclose(values, torch.ones(10, dtype=torch.float64))
    half, edges = statistics.density(space, ramp, bins=5, limits=(0.0, 0.5))
    assert float((half * edges.diff()).sum()) == pytest.approx(0.5, abs=0.01)
    assert statistics.divergence(values, values) == 0
    assert statistics.divergence(torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])) > 0.1
