"""The Fourier space on one rank: normalisation, derivatives, masks, sums; refusals."""

import math
from itertools import pairwise

import pytest
import torch

from plexus.errors import InputError
from plexus.spaces.fourier import Fourier
from plexus.spaces.transpose import split

BOXES = [((16,), (3.0,)), ((12, 10), (2.0, 5.0)), ((9, 8), (1.0, 1.0)), ((8, 6, 10), (1.0, 2.0, 3.0))]


def noise(space, *lead, seed=0):
    torch.manual_seed(seed)
    dtype = space.dtype if space.real else space.complex_dtype
    return torch.randn(*lead, *space.shape, dtype=dtype)


@pytest.mark.parametrize(("cells", "lengths"), BOXES)
@pytest.mark.parametrize("real", [False, True])
def test_transforms_are_inverse_and_mode_zero_is_the_mean(cells, lengths, real):
    space = Fourier(cells, lengths, real=real)
    u = noise(space, 2, 3)
    hat = space.forward(u)
    assert hat.shape == (2, 3, *space.hat_shape)
    assert torch.allclose(space.inverse(hat), u, atol=1e-13)
    assert torch.allclose(hat[(..., *(0,) * space.dim)].real, space.mean(u).real, atol=1e-14)
    assert torch.allclose(space.power(hat), space.mean(u.abs() ** 2), atol=1e-13)


@pytest.mark.parametrize(("cells", "lengths"), BOXES)
@pytest.mark.parametrize("real", [False, True])
def test_derivatives_of_waves_are_exact(cells, lengths, real):
    space = Fourier(cells, lengths, real=real)
    xs, waves = space.points(), [2, 1, 3][: space.dim]
    q = [2 * math.pi * n / length for n, length in zip(waves, lengths, strict=True)]
    phase = sum(a * x for a, x in zip(q, xs, strict=True))
    u = torch.cos(phase) + (0 if real else 1j * torch.sin(2 * phase))
    for axis in range(space.dim):
        exact = -q[axis] * torch.sin(phase) + (0 if real else 2j * q[axis] * torch.cos(2 * phase))
        if not real and any(4 * n >= c for n, c in zip(waves, cells, strict=True)):
            continue  # the second wave is not resolved
        assert torch.allclose(space.inverse(space.ik(axis) * space.forward(u)), exact, atol=1e-11)
    laplacian = space.inverse(-space.k2 * space.forward(torch.cos(phase) + 0 * u))
    assert torch.allclose(laplacian.real, -sum(a * a for a in q) * torch.cos(phase), atol=1e-10)


@pytest.mark.parametrize(("cells", "lengths"), BOXES)
def test_poisson(cells, lengths):
    space = Fourier(cells, lengths, real=True)
    u = noise(space)
    solved = space.inverse(space.inverse_k2 * space.forward(u))
    back = space.inverse(space.k2 * space.forward(solved))
    assert torch.allclose(back, u - space.mean(u), atol=1e-12)
    assert abs(float(space.mean(solved))) < 1e-14


def test_derivative_of_the_highest_mode_of_an_even_axis_vanishes():
    space = Fourier((8, 6), (1.0, 1.0))
    saw = torch.tensor([1.0, -1.0]).repeat(4).reshape(8, 1).expand(8, 6).to(torch.complex128)
    assert float(space.inverse(space.ik(0) * space.forward(saw)).abs().max()) < 1e-14
    odd = Fourier((9, 6), (1.0, 1.0))
    assert int((odd.ik(0).abs() == 0).sum()) == 1


def test_two_thirds_rule_gives_the_exact_product():
    """The product of two masked fields on the grid and on one that holds all its modes."""
    coarse, fine = (Fourier((n,), (1.0,), real=True) for n in (24, 72))
    a, b = (noise(coarse, seed=s) for s in (1, 2))

    def refined(u):
        hat = torch.zeros(fine.hat_shape, dtype=torch.complex128)
        hat[: coarse.hat_shape[0]] = coarse.forward(u) * coarse.mask
        return fine.inverse(hat)

    product = coarse.forward(
        coarse.inverse(coarse.forward(a) * coarse.mask) * coarse.inverse(coarse.forward(b) * coarse.mask)
    )
    exact = fine.forward(refined(a) * refined(b))[: coarse.hat_shape[0]]
    assert torch.allclose(product * coarse.mask, exact * coarse.mask, atol=1e-14)
    assert not torch.allclose(product, exact, atol=1e-6)


def test_masks():
    space = Fourier((12, 12), (1.0, 1.0))
    assert int(space.mask.sum()) == 7 * 7  # |n| <= 3 of 12
    smooth = Fourier((64, 64), (1.0, 1.0), dealias="smooth36").mask
    assert float(smooth[0, 0]) == 1
    assert float(smooth[10, 10]) == pytest.approx(1, abs=1e-15)
    assert float(smooth[32, 0]) == pytest.approx(math.exp(-36))
    assert torch.equal(Fourier((8, 8), (1, 1), dealias="none").mask, torch.ones(8, 8, dtype=torch.float64))


@pytest.mark.parametrize(("cells", "lengths"), BOXES)
def test_real_and_complex_spaces_agree(cells, lengths):
    whole, half = Fourier(cells, lengths), Fourier(cells, lengths, real=True)
    assert half.sibling(real=False).sibling(real=True).hat_shape == half.hat_shape
    u = noise(half)
    cut = tuple(slice(n) for n in half.hat_shape)
    assert torch.allclose(whole.forward(u.to(torch.complex128))[cut], half.forward(u), atol=1e-14)
    assert torch.equal(whole.mask[cut], half.mask)
    assert torch.allclose(whole.k2[cut], half.k2)
    assert float(half.power(half.forward(u))) == pytest.approx(float(whole.power(whole.forward(u + 0j))))


def test_single_precision():
    space = Fourier((16, 16), (1.0, 1.0), real=True, dtype=torch.float32)
    hat = space.forward(noise(space))
    assert hat.dtype == torch.complex64
    for tensor in (space.mask, space.k2, space.ik(0), space.inverse_k2, *space.points()):
        assert tensor.dtype in (torch.float32, torch.complex64)
    assert space.inverse(hat * space.ik(1) * space.mask).dtype == torch.float32


def test_sums_over_the_box():
    space = Fourier((8, 8), (2.0, 2.0))
    u, v = noise(space, 3), noise(space, 3, seed=1)
    assert torch.allclose(space.inner(u, v), (u.conj() * v).sum() / 64)
    assert torch.equal(space.max(u.real), u.real.amax((-2, -1)))
    assert torch.equal(space.gather(u), u)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_split_covers_everything_evenly(size):
    parts = split(10, size)
    assert parts[0][0] == 0
    assert parts[-1][1] == 10
    assert all(a[1] == b[0] for a, b in pairwise(parts))
    assert {b - a for a, b in parts} <= {10 // size, 10 // size + 1}


def test_refusals():
    class Many:
        size, rank = 5, 0

    with pytest.raises(InputError, match="one length per direction"):
        Fourier((8, 8), (1.0,))
    with pytest.raises(InputError, match="at most 4"):
        Fourier((4, 64), (1.0, 1.0), Many())
    with pytest.raises(InputError, match="at most 4"):
        Fourier((64, 6), (1.0, 1.0), Many(), real=True)
    with pytest.raises(InputError, match="use 1 rank instead of 5"):
        Fourier((64,), (1.0,), Many())
