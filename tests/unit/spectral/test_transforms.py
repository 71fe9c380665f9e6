"""Transforms of one rank, compiled and torch's own: the same numbers, the same gradients."""

import math

import pytest
import torch

from plexus.spaces import transforms
from plexus.spaces.transforms import Along, Local
from plexus_kernels.native import fourier as compiled

SIZES = [
    (8,),
    (1, 6),
    (5, 2),
    (12, 10),
    (9, 15),
    (16, 27),
    (25, 8),
    (64, 64),
    (4, 6, 10),
    (3, 5, 8),
    (128, 96),
]


def by_torch(transform, u):
    """The definition, by torch."""
    if isinstance(transform, Along):
        one = torch.fft.ifft if transform.inverse else torch.fft.fft
        return one(u, dim=-transform.dim, norm="forward") * transform.scale
    axes = tuple(range(-len(transform.sizes), 0))
    if transform.real and transform.inverse:
        return torch.fft.irfftn(u, s=transform.sizes, dim=axes, norm="forward") * transform.scale
    names = {(False, False): "fftn", (False, True): "ifftn", (True, False): "rfftn"}
    return (
        getattr(torch.fft, names[transform.real, transform.inverse])(u, dim=axes, norm="forward")
        * transform.scale
    )


def noise(transform, *lead):
    torch.manual_seed(1)
    if isinstance(transform, Along):
        return torch.randn(*lead, transform.size, *(3, 5)[: transform.dim - 1], dtype=torch.complex128)
    shape = transform.modes if transform.inverse else transform.sizes
    kind = torch.float64 if transform.kind == "real" else torch.complex128
    return torch.randn(*lead, *shape, dtype=kind)


def cases():
    for sizes in SIZES:
        for real in (False, True):
            for inverse in (False, True):
                yield Local(sizes, real, inverse)
    for size in (1, 6, 15, 64):
        for dim in (1, 2, 3):
            yield Along(size, dim, inverse=size == 15, scale=0.5)


@pytest.mark.parametrize("transform", list(cases()), ids=str)
@pytest.mark.parametrize("lead", [(), (1,), (3,), (2, 19)], ids=str)
def test_compiled_transform_is_torchs(transform, lead):
    u = noise(transform, *lead)
    assert transforms.fits(u, getattr(transform, "sizes", (8,)))
    before = u.clone()
    found, exact = transform(u), by_torch(transform, u)
    assert found.shape == exact.shape
    assert found.dtype == exact.dtype
    assert float((found - exact).abs().max()) <= 4e-15 * max(1.0, float(exact.abs().max())) * math.log2(
        len(u) + 8
    )
    assert torch.equal(u, before)


@pytest.mark.parametrize("sizes", [(6,), (4, 5), (3, 4), (2, 3, 4), (2, 2, 5)], ids=str)
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("inverse", [False, True])
def test_gradients(sizes, real, inverse):
    transform = Local(sizes, real, inverse)
    u = noise(transform, 2).requires_grad_()
    weights = torch.randn_like(transform(u))

    def loss(apply, a):
        return (apply(a) * weights.conj()).real.sum() + (apply(a).abs() ** 4).sum()

    first = torch.autograd.grad(loss(transform, u), u, create_graph=True)[0]
    exact = torch.autograd.grad(loss(lambda a: by_torch(transform, a), u), u, create_graph=True)[0]
    assert torch.allclose(first, exact, atol=1e-12)
    second, again = (torch.autograd.grad((g.abs() ** 2).sum(), u)[0] for g in (first, exact))
    assert torch.allclose(second, again, atol=1e-10)


def test_gradients_along_an_axis():
    transform = Along(6, 2, inverse=True)
    u = noise(transform, 2).requires_grad_()
    pairs = [
        torch.autograd.grad((f(u).abs() ** 4).sum(), u)[0]
        for f in (transform, lambda a: by_torch(transform, a))
    ]
    assert torch.allclose(*pairs, atol=1e-12)


def test_views_and_conjugates_are_read_as_what_they_are():
    transform = Local((8, 6))
    u = torch.randn(2, 6, 8, dtype=torch.complex128).transpose(-1, -2).conj()
    assert torch.allclose(transform(u), by_torch(transform, u), atol=1e-14)
    real = torch.randn(8, 6, dtype=torch.float64)
    assert torch.allclose(transform(real), torch.fft.fftn(real, norm="forward"), atol=1e-15)


@pytest.mark.parametrize("sizes", [(7, 8), (8, 11), (14,)], ids=str)
def test_other_lengths_and_precisions_go_to_torch(sizes):
    transform = Local(sizes, real=True)
    u = noise(transform, 2)
    assert not transforms.fits(u, sizes)
    assert torch.equal(transform(u), by_torch(transform, u))
    assert compiled.radices(7) is None
    single = torch.randn(8, 8)
    assert Local((8, 8), real=True)(single).dtype == torch.complex64


def test_without_a_compiler_torch_takes_over(monkeypatch):
    def refuse():
        raise RuntimeError("no compiler")

    transforms._ready.cache_clear()
    monkeypatch.setattr(compiled, "prepare", refuse)
    u = torch.randn(8, 8, dtype=torch.float64)
    with pytest.warns(UserWarning, match="torch's take over: no compiler"):
        assert torch.equal(Local((8, 8), real=True)(u), torch.fft.rfftn(u, norm="forward"))
    transforms._ready.cache_clear()


def test_an_empty_batch_stays_empty():
    assert Local((8, 8))(torch.zeros(0, 8, 8, dtype=torch.complex128)).shape == (0, 8, 8)


@pytest.mark.parametrize(
    "transform", [Local((64, 60)), Local((64, 60), True), Local((8, 30, 16), True, True), Along(64, 2)]
)
def test_threads_change_nothing(monkeypatch, transform):
    """The members of a batch are dealt out to threads; each number stays the same to the last bit."""
    monkeypatch.setattr(transforms, "SMALL", 100)
    u, threads = noise(transform, 7), torch.get_num_threads()
    alone = transform(u)
    try:
        torch.set_num_threads(3)
        assert torch.equal(transform(u), alone)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "transform", [Local((6, 8)), Local((6, 8), True), Local((5, 8), True, True), Along(12, 2)]
)
def test_a_field_does_not_feel_the_others_of_its_batch(transform):
    """Up to pairs of real rows, which share one transform: an even number of them has its own pairs."""
    u = noise(transform, 30)
    even = transform.__class__ is Along or not transform.real or transform.sizes[0] % 2 == 0
    whole = transform(u)
    for k in (0, 1, 16, 29):
        alone = transform(u[k].clone())
        assert torch.equal(alone, whole[k]) if even else torch.allclose(alone, whole[k], atol=1e-14)
