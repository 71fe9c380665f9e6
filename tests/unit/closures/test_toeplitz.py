"""The trigonometric moment problem: reflection coefficients and disks."""

import math

import pytest
import torch

from plexus.models.suspension.toeplitz import disk


def moments_of(weights, angles, highest):
    """Return c_1..c_K of point masses, each (1,)."""
    total = weights.sum()
    return [(weights * torch.exp(-1j * m * angles)).sum().reshape(1) / total for m in range(1, highest + 1)]


@pytest.fixture
def masses():
    generator = torch.Generator().manual_seed(3)
    weights = torch.rand(9, generator=generator, dtype=torch.float64)
    return weights, 2 * math.pi * torch.rand(9, generator=generator, dtype=torch.float64)


def test_two_moments_as_written_out(masses):
    c1, c2 = moments_of(*masses, 2)
    k2 = (c2 - c1**2) / (1 - c1.abs() ** 2)
    found = disk([c1, c2])
    assert torch.allclose(found.center, (c1 - k2 * c1.conj()) * c2 + k2 * c1, atol=1e-14)
    assert torch.allclose(found.radius, (1 - c1.abs() ** 2) * (1 - k2.abs() ** 2), atol=1e-14)
    assert torch.allclose(found.reflections[1], k2, atol=1e-14)


@pytest.mark.parametrize("highest", range(1, 8))
def test_moments_of_masses_lie_in_their_disks(masses, highest):
    known = moments_of(*masses, highest + 1)
    found = disk(known[:-1])
    assert ((known[-1] - found.center).abs() <= found.radius + 1e-13).all()
    assert all((k.abs() < 1).all() for k in found.reflections)


def test_two_masses_leave_no_choice_after_the_second_moment():
    known = moments_of(torch.tensor([1.0, 2.0]).double(), torch.tensor([0.3, 2.0]).double(), 3)
    found = disk(known[:2])
    assert found.radius.abs().max() < 1e-14
    assert torch.allclose(found.center, known[2], atol=1e-13)


def test_coefficients_beyond_the_possible_are_capped():
    c1, c2 = torch.tensor([0.5 + 0j]).to(torch.complex128), torch.tensor([-0.9 + 0j]).to(torch.complex128)
    found = disk([c1, c2], cap=0.999)
    assert found.reflections[1].abs().item() == pytest.approx(0.999)
    assert found.radius.item() > 0
    beyond = disk([1.2 * c1 / c1.abs(), c2], cap=0.999)
    assert beyond.center.isfinite().all() and beyond.center.abs().item() < 4


def test_pull_moves_only_what_is_outside():
    c1 = torch.tensor([0.6 + 0j, 0.6 + 0j]).to(torch.complex128)
    moments = torch.tensor([0.4 + 0.1j, 2j], dtype=torch.complex128)
    kept, moved = disk([c1]).pull(moments)
    assert moved.tolist() == [False, True]
    assert kept[0] == moments[0]
    assert abs(kept[1] - 0.36).item() == pytest.approx(0.64)
    again, none = disk([c1]).pull(kept)
    assert not none.any() and torch.equal(again, kept)
