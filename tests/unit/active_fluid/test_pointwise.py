"""Compiled products beside the formulas in torch, which a gradient asks for."""

import pytest
import torch
from fluids import SIZE, fluid, waves

from plexus.models.suspension import pointwise
from plexus.models.suspension.medium import Medium
from plexus.models.suspension.pointwise import Divergence, Second
from plexus.spaces.fourier import Fourier


def complex_noise(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.complex(*(torch.randn(*shape, generator=draw, dtype=torch.float64) for _ in range(2)))


def both(function, *tensors):
    """Return the compiled result and that of torch."""
    assert pointwise.fits(*tensors)
    fast = function(*tensors)
    slow = function(*(t.clone().requires_grad_() for t in tensors))
    parts = fast if isinstance(fast, tuple) else (fast,)
    assert not any(p.requires_grad for p in parts)
    return parts, slow if isinstance(slow, tuple) else (slow,)


def same(pair):
    for fast, slow in zip(*pair, strict=True):
        assert fast.shape == slow.shape
        assert slow.requires_grad
        assert torch.allclose(fast, slow.detach(), rtol=1e-13, atol=1e-13)


SECONDS = [lambda s: Second(s), lambda s: Second(None, s), lambda s: Second(None)]


@pytest.mark.parametrize("second", SECONDS)
@pytest.mark.parametrize("shape", [(6, 7), (33, 32)])
def test_stress_of_a_sweep(shape, second):
    medium = Medium(-3.0, 0.8, 0.7, 0.05, 0.05)
    f, e, s = complex_noise(3, *shape), complex_noise(*shape, seed=1), complex_noise(*shape, seed=2)
    same(both(lambda f, e, s: pointwise.sweep(f, e, second(s), medium), f, e, s))


@pytest.mark.parametrize("second", SECONDS)
@pytest.mark.parametrize("order", [1, 2, 5])
def test_fluxes(order, second):
    f, e, last = (
        complex_noise(order + 1, 17, 19),
        complex_noise(17, 19, seed=1),
        complex_noise(17, 19, seed=2),
    )
    velocity, w = complex_noise(2, 17, 19, seed=3).real, complex_noise(17, 19, seed=4).real
    same(both(lambda f, v, w, e, s: pointwise.fluxes(f, v, w, e, second(s), 0.7), f, velocity, w, e, last))


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_stream_and_flow(real, whole):
    space = Fourier((12, 9), (SIZE, 7.0), real=real)
    parts, table = complex_noise(2, *space.hat_shape), complex_noise(2, *space.hat_shape, seed=1).real
    same(both(pointwise.stream, parts, table))
    k = tuple(k.contiguous() for k in space.k)
    same(both(lambda psi: pointwise.flow(psi, k, whole), parts[0]))


def test_divergence():
    space = Fourier((12, 10), (SIZE, 7.0))
    factors = torch.tensor([2.0, -1j, 0.5 + 3j]).to(torch.complex128).reshape(3, 1, 1)
    divergence = Divergence((space.ik(0), space.ik(1)), space.mask, factors)
    same(both(divergence, complex_noise(2, 4, 12, 10), complex_noise(3, 12, 10, seed=1)))


@pytest.mark.parametrize(("order", "closure"), [(1, "bingham"), (1, None), (2, "autoregressive"), (4, None)])
@pytest.mark.parametrize("method", ["lagged", "fixed_point"])
def test_rates_with_and_without_a_graph(order, closure, method):
    model = fluid(16, closure, order=order, alpha=-3, passive_stress=method)
    hat = model.space.forward(waves(order, 16, 0.8))
    _, memory = model.rates(hat, 0.0, None)
    fast, _ = model.rates(0.9 * hat, 0.1, memory)
    slow, _ = model.rates((0.9 * hat).requires_grad_(), 0.1, memory)
    assert slow.requires_grad
    assert torch.allclose(fast, slow.detach(), rtol=0, atol=1e-14)


def test_what_does_not_fit_goes_the_way_of_torch():
    u = complex_noise(4, 4)
    assert not pointwise.fits(u.to(torch.complex64))
    assert not pointwise.fits(u.clone().requires_grad_())
    with torch.no_grad():
        assert pointwise.fits(u.clone().requires_grad_())
