"""What every law promises: its tangent, its symmetry, rest, rotation, and that it never gives energy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hosts import params

from plexus import registry
from plexus.formulation.autodiff import tensor

LAWS = registry.names("law")
COUNT = 40


def law_of(name):
    """Return a law, and a strain at which it leaves the elastic range."""
    return registry.component("law", name).cls(params("law", name)), 4e-3


def point(law, before, dt):
    """Return a point at which nothing varies but the memory."""
    fields = {spec.name: before[spec.name] for spec in law.internal}
    return SimpleNamespace(
        x=np.zeros((1, 1, 3)), one=np.ones((1, 1)), dt=dt, before=fields, dim=3, t=0.0, fields={}
    )


def virgin(law, cells):
    shape = {"scalar": (cells, 1), "tensor": (cells, 1, 9)}
    return {s.name: np.zeros(shape[s.shape]) + s.start for s in law.internal}


def strains(rng, size, cells=COUNT):
    """Return random symmetric strains (C, 1, 3, 3)."""
    e = rng.standard_normal((cells, 1, 3, 3))
    return size * (e + e.swapaxes(2, 3)) / 2


def worked(name, steps=4, dt=0.5):
    """Return a law, and strain and memory after some steps of a random path."""
    law, size = law_of(name)
    rng, strain = np.random.default_rng(0), np.zeros((COUNT, 1, 3, 3))
    before = virgin(law, COUNT)
    for _ in range(steps):
        strain = strain + strains(rng, size)
        before = {**before, **law.respond(point(law, before, dt), strain, memory=True).memory}
    return law, before, strain + strains(rng, size), rng


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("dt", [1e-4, 0.5, 1e3])
def test_the_tangent_is_the_derivative_of_the_stress(name, dt):
    law, before, strain, rng = worked(name)
    p, change = point(law, before, dt), strains(rng, 1e-8)
    found = law.respond(p, strain, tangent=True)
    quotient = (law.respond(p, strain + change).stress - law.respond(p, strain - change).stress) / 2
    expected = np.einsum("...ijkl,...kl->...ij", found.tangent, change)
    assert np.isfinite(found.stress).all()
    assert np.abs(expected - quotient).max() <= 1e-6 * np.abs(quotient).max()


@pytest.mark.parametrize("name", LAWS)
def test_symmetry_is_what_the_law_states(name):
    law, before, strain, _ = worked(name)
    slope = law.respond(point(law, before, 0.5), strain, tangent=True).tangent
    apart = np.abs(slope - np.moveaxis(slope, (2, 3), (4, 5))).max() / np.abs(slope).max()
    assert (apart <= 1e-12) == law.symmetric
    assert np.array_equal(slope, np.swapaxes(slope, 2, 3)) and np.array_equal(slope, np.swapaxes(slope, 4, 5))


@pytest.mark.parametrize("name", LAWS)
def test_at_rest_nothing_happens(name):
    law, _ = law_of(name)
    before = virgin(law, 2)
    found = law.respond(point(law, before, 1.0), np.zeros((2, 1, 3, 3)), memory=True)
    assert np.abs(found.stress).max() == 0
    assert all(np.array_equal(found.memory[name], a) for name, a in before.items())


@pytest.mark.parametrize("name", LAWS)
def test_a_look_at_a_state_moves_nothing(name):
    """With a step of length 0."""
    law, before, strain, _ = worked(name)
    found = law.respond(point(law, before, 0.0), strain, memory=True)
    assert all(np.allclose(found.memory[n], a, rtol=0, atol=1e-16) for n, a in before.items())


@pytest.mark.parametrize("name", LAWS)
def test_a_turned_path_turns_the_stress(name):
    law, before, strain, rng = worked(name)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]

    def turned(a):
        return np.ascontiguousarray(np.einsum("ai,...ij,bj->...ab", turn, a, turn))

    tensors = {s.name for s in law.internal if s.shape == "tensor"}
    other = {
        n: turned(a.reshape(COUNT, 1, 3, 3)).reshape(COUNT, 1, 9) if n in tensors else a
        for n, a in before.items()
    }
    one = law.respond(point(law, before, 0.5), strain).stress
    two = law.respond(point(law, other, 0.5), turned(strain)).stress
    assert np.abs(turned(one) - two).max() <= 1e-11 * np.abs(one).max()


@pytest.mark.parametrize("name", LAWS)
def test_a_closed_path_of_strain_takes_work(name):
    """From the virgin state back to no strain: neither what is stored then nor what was lost is negative."""
    law, size = law_of(name)
    rng = np.random.default_rng(1)
    corners = [np.zeros((COUNT, 1, 3, 3)), *(strains(rng, size) for _ in range(3))]
    path = [
        a + s * (b - a)
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
        for s in (0.2, 0.4, 0.6, 0.8, 1)
    ]
    before, work, last, scale = virgin(law, COUNT), 0.0, corners[0], 0.0
    for strain in path:
        found = law.respond(point(law, before, 0.1), strain, memory=True)
        step = np.einsum("...ij,...ij->...", found.stress, strain - last)
        work, scale, last = work + step, scale + np.abs(step), strain
        before = {**before, **found.memory}
    assert (work >= -1e-12 * scale).all()


@pytest.mark.parametrize("name", LAWS)
def test_tensors_are_answered_as_arrays_are(name):
    law, before, strain, _ = worked(name)
    one = law.respond(point(law, before, 0.5), strain, tangent=True, memory=True)
    seen = point(law, {n: tensor(a) for n, a in before.items()}, 0.5)
    seen.x, seen.one = tensor(seen.x), tensor(seen.one)
    two = law.respond(seen, tensor(strain), tangent=True, memory=True)
    pairs = [(one.stress, two.stress), (one.tangent, two.tangent)]
    for a, b in [*pairs, *((one.memory[n], two.memory[n]) for n in one.memory)]:
        assert isinstance(b, torch.Tensor)
        assert np.abs(a - b.numpy()).max() <= 1e-10 * np.abs(a).max()


def weighed(law, strain, before, weights):
    """Return a sum of stress and memory at the end of a step, of arrays or tensors."""
    p = point(law, before, 0.5)
    if isinstance(strain, torch.Tensor):
        p.one = tensor(p.one)
    found = law.respond(p, strain, memory=True)
    answers = [found.stress, *(found.memory[spec.name] for spec in law.internal)]
    return sum((w * a).sum() for w, a in zip(weights, answers, strict=True))


def moved_by(rng, size, like):
    """Return random changes of numbers or symmetric tensors at points."""
    return (
        size * rng.standard_normal(like.shape) if like.ndim == 2 else strains(rng, size).reshape(like.shape)
    )


@pytest.mark.parametrize("name", LAWS)
def test_stress_and_memory_are_differentiated_at_the_root(name):
    """In the strain and in what was remembered, by tensors; the quotients are those of arrays."""
    law, before, strain, rng = worked(name)
    found = law.respond(point(law, before, 0.5), strain, memory=True)
    answers = [found.stress, *(found.memory[s.name] for s in law.internal)]
    weights = [rng.standard_normal(a.shape) / np.abs(a).max() for a in answers]
    given = [strain, *(before[s.name] for s in law.internal)]
    moves = [moved_by(rng, 1e-7, a) for a in given]
    leaves = [tensor(a).requires_grad_() for a in given]

    def at(step):
        moved = [a.detach().numpy() + step * d for a, d in zip(leaves, moves, strict=True)]
        known = {s.name: np.ascontiguousarray(a) for s, a in zip(law.internal, moved[1:], strict=True)}
        return weighed(law, moved[0], known, weights)

    known = {s.name: a for s, a in zip(law.internal, leaves[1:], strict=True)}
    value = weighed(law, leaves[0], known, [tensor(w) for w in weights])
    slopes = torch.autograd.grad(value, leaves, materialize_grads=True)
    along = sum(float((g * tensor(d)).sum()) for g, d in zip(slopes, moves, strict=True))
    assert along == pytest.approx((at(1.0) - at(-1.0)) / 2, rel=1e-5)


@pytest.mark.parametrize("name", LAWS)
def test_at_rest_there_is_a_derivative(name):
    law, _ = law_of(name)
    leaves = [tensor(np.zeros((2, 1, 3, 3))).requires_grad_()]
    before = {n: tensor(a).requires_grad_() for n, a in virgin(law, 2).items()}
    weights = [1.0] * (1 + len(before))
    slopes = torch.autograd.grad(
        weighed(law, leaves[0], before, weights), [*leaves, *before.values()], materialize_grads=True
    )
    assert all(torch.isfinite(g).all() for g in slopes)
