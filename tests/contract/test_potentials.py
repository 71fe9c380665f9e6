"""What every energy at finite strain promises: stress and tangent as its derivatives, rest, rotation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hosts import params

from plexus import registry
from plexus.formulation.autodiff import tensor

POTENTIALS = registry.names("potential")
COUNT = 60


def made(name):
    return registry.component("potential", name).cls(params("potential", name))


def point():
    return SimpleNamespace(x=np.zeros((1, 1, 3)), one=np.ones((1, 1)), dim=3, t=0.0, fields={}, regions={})


def gradients(size=0.25, seed=0):
    """Return F = I + random (C, 1, 3, 3) with det F > 0."""
    return np.eye(3) + size * np.clip(np.random.default_rng(seed).standard_normal((COUNT, 1, 3, 3)), -1, 1)


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_stress_is_the_derivative_of_the_energy(name):
    potential, f, change = made(name), gradients(), 1e-6 * (gradients(1.0, 1) - np.eye(3))
    stress, _ = potential.respond(point(), f)
    quotient = (potential.energy(point(), f + change) - potential.energy(point(), f - change)) / 2
    assert np.isfinite(quotient).all()
    power = np.einsum("...ij,...ij->...", stress, change)
    assert np.abs(quotient - power).max() <= 1e-6 * np.abs(power).max()


@pytest.mark.parametrize("name", POTENTIALS)
def test_the_tangent_is_the_derivative_of_the_stress_and_symmetric(name):
    potential, f, change = made(name), gradients(), 1e-6 * (gradients(1.0, 1) - np.eye(3))
    _, slope = potential.respond(point(), f, slope=True)
    quotient = (potential.respond(point(), f + change)[0] - potential.respond(point(), f - change)[0]) / 2
    found = np.einsum("...ijkl,...kl->...ij", slope, change)
    assert np.abs(found - quotient).max() <= 1e-6 * np.abs(quotient).max()
    assert np.abs(slope - np.moveaxis(slope, (2, 3), (4, 5))).max() <= 1e-12 * np.abs(slope).max()


@pytest.mark.parametrize("name", POTENTIALS)
def test_at_rest_there_is_neither_stress_nor_energy(name):
    potential, i = made(name), np.eye(3)[None, None]
    stress, slope = potential.respond(point(), i, slope=True)
    scale = np.abs(slope).max()
    assert np.abs(stress).max() <= 1e-14 * scale and abs(potential.energy(point(), i)[0, 0]) <= 1e-14 * scale
    # Hooke's law: turns are free, all else is stiff
    assert np.linalg.eigvalsh(slope.reshape(9, 9))[3:].min() > 1e-3 * scale


@pytest.mark.parametrize("name", POTENTIALS)
def test_a_turned_body_has_a_turned_stress_and_the_same_energy(name):
    potential, f = made(name), gradients()
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    turn = turn * np.sign(np.linalg.det(turn))
    one, _ = potential.respond(point(), f)
    two, _ = potential.respond(point(), turn @ f)
    assert np.abs(turn @ one - two).max() <= 1e-12 * np.abs(one).max()
    before, after = potential.energy(point(), f), potential.energy(point(), turn @ f)
    assert np.abs(before - after).max() <= 1e-12 * before.max()
    # isotropic: a body that was turned before it is strained
    three, _ = potential.respond(point(), f @ turn)
    assert np.abs(one @ turn - three).max() <= 1e-12 * np.abs(one).max()


@pytest.mark.parametrize("name", POTENTIALS)
def test_a_body_turned_inside_out_has_no_answer(name):
    f = gradients()
    f[:3, :, 0] *= -1.0
    stress, _ = made(name).respond(point(), f)
    assert np.isnan(stress[:3]).all() and np.isfinite(stress[3:]).all()


@pytest.mark.parametrize("name", POTENTIALS)
def test_tensors_are_answered_as_arrays_are(name):
    potential, f, seen = made(name), gradients(), point()
    seen.x, seen.one = tensor(seen.x), tensor(seen.one)
    for a, b in zip(
        potential.respond(point(), f, True), potential.respond(seen, tensor(f), True), strict=True
    ):
        assert isinstance(b, torch.Tensor) and np.abs(a - b.numpy()).max() <= 1e-12 * np.abs(a).max()
