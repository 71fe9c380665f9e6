"""The spectral layer against whole transforms in one to three directions, and the operator on any grid."""

import itertools

import pytest
import torch

from plexus.nets.fourier import FourierOperator
from plexus.nets.modes import Axis, Modes, count

DOUBLE = torch.float64
GRIDS = [(96,), (97,), (24, 17), (11, 12, 9)]


def by_fft(u, weight, modes):
    """Return one spectral layer (o, ..., *points) by whole transforms; modes that the grid lacks rest."""
    dim, shape = len(modes), u.shape[-len(modes) :]
    hat = torch.fft.rfftn(u, dim=tuple(range(-dim, 0)))
    r = torch.view_as_complex(weight)
    held = [range(-min(m, n // 2), min(m, (n + 1) // 2)) for m, n in zip(modes, shape, strict=True)]
    held[-1] = range(held[-1].stop)
    places = torch.cartesian_prod(*[torch.tensor(list(h)) for h in held]).reshape(-1, dim)
    out = torch.zeros(r.shape[1], *hat.shape[1:], dtype=hat.dtype)
    for k in places.tolist():
        own = tuple(k)
        stored = tuple(q + m * (a < dim - 1) for a, (q, m) in enumerate(zip(k, modes, strict=True)))
        out[(..., *own)] = torch.einsum("i...,io->o...", hat[(..., *own)], r[(..., *stored)])
    return torch.fft.irfftn(out, s=shape, dim=tuple(range(-dim, 0)))


def weights(modes, inputs=3, outputs=2):
    return torch.randn(inputs, outputs, *count(modes), 2, dtype=DOUBLE)


@pytest.mark.parametrize("batch", [(), (2, 4)])
@pytest.mark.parametrize("shape", GRIDS)
def test_layer_is_that_of_whole_transforms(shape, batch):
    torch.manual_seed(1)
    modes = [4, 3, 3][: len(shape)]
    u, r = torch.randn(3, *batch, *shape, dtype=DOUBLE), weights(modes)
    found = Modes([Axis(n) for n in shape], modes, u).convolve(u, r)
    assert torch.allclose(found, by_fft(u, r, modes), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(8,), (9,), (8, 7), (6, 7, 8)])
def test_modes_that_the_grid_does_not_hold_rest(shape):
    torch.manual_seed(2)
    modes = [6] * len(shape)
    u, r = torch.randn(3, *shape, dtype=DOUBLE), weights(modes)
    found = Modes([Axis(n) for n in shape], modes, u).convolve(u, r)
    assert torch.allclose(found, by_fft(u, r, modes), rtol=0, atol=1e-12)


def test_padding_is_zeros_behind_the_domain():
    torch.manual_seed(3)
    modes, u = [4, 3], torch.randn(3, 16, 12, dtype=DOUBLE)
    r = weights(modes)
    found = Modes([Axis(16, padding=0.5), Axis(12)], modes, u).convolve(u, r)
    whole = torch.nn.functional.pad(u, (0, 0, 0, 8))
    assert torch.allclose(found, by_fft(whole, r, modes)[:, :16], rtol=0, atol=1e-12)


@pytest.mark.parametrize("parts", [[0, 5, 6, 24], [0, 0, 24, 24]])
def test_partial_sums_of_any_cut_add_up(parts):
    """One part may be a single row or have no row at all."""
    torch.manual_seed(4)
    modes, u = [4, 3], torch.randn(3, 24, 17, dtype=DOUBLE)
    whole = Modes([Axis(24), Axis(17)], modes, u).analyse(u)
    cuts = list(itertools.pairwise(parts))
    sums = [Modes([Axis(24, cut), Axis(17)], modes, u).analyse(u[:, slice(*cut)]) for cut in cuts]
    assert torch.allclose(sum(sums), whole, rtol=0, atol=1e-14)


def test_operator_on_batches_is_the_operator_on_each():
    net = FourierOperator(2, 1, [3, 4], width=5, depth=2, coordinates=True, seed=1).double()
    net.bind([Axis(9, closed=True, padding=0.25), Axis(12)])
    u = torch.randn(2, 3, 9, 12, dtype=DOUBLE)
    each = torch.stack([net(u[:, b]) for b in range(3)], 1)
    assert torch.allclose(net(u), each, rtol=0, atol=1e-13)


def test_operator_without_coordinates_commutes_with_shifts():
    net = FourierOperator(1, 1, [4], width=6, depth=3, seed=1).double()
    net.bind([Axis(32)])
    u = torch.randn(1, 2, 32, dtype=DOUBLE)
    assert torch.allclose(net(u.roll(5, -1)), net(u).roll(5, -1), rtol=0, atol=1e-13)


def test_operator_answers_alike_on_a_finer_grid():
    """Linear layers of a resolved field: the finer grid has the same values at common points."""
    net = FourierOperator(1, 1, [4], width=6, depth=3, projection=8, seed=1).double()
    found = {}
    for n in (64, 192):  # the middle cell of three has the place of the coarse one
        axis = Axis(n)
        net.bind([axis])
        found[n] = net(torch.sin(2 * torch.pi * axis.places)[None])
    assert torch.allclose(found[192][:, 1::3], found[64], rtol=0, atol=1e-6)


def test_published_size():
    """Width 32, 16 modes, four layers, a coordinate: 139,745 numbers."""
    net = FourierOperator(1, 1, [16], coordinates=True)
    assert sum(p.numel() for p in net.parameters()) == 139_745
