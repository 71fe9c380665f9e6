"""Kuramoto-Sivashinsky: growth of small waves, orders of the steppers, conserved mean, energy budget."""

import math

import pytest
import torch

from plexus import registry
from plexus.errors import InputError
from plexus.models.kuramoto import KuramotoModel, noise, wave
from plexus.spaces.fourier import Fourier
from plexus.stepping.march import march

LENGTH = 32 * math.pi
STEPPERS = {"sbdf2": 2, "etdrk4": 4, "ifrk4": 4, "imex_rk": 3}


def model(cells=96, amplitude=1.0, start=wave):
    space = Fourier((cells,), (LENGTH,), real=True)
    return KuramotoModel(space, lambda: start(space, amplitude))


def made(kind, name):
    member = registry.component(kind, name)
    return member.cls(member.params())


def stepper(name):
    return made("stepper", name)


def marched(equation, name, hat, dt, steps):
    *_, last = march(equation, stepper(name), hat, dt, steps)
    return last.values[equation.unknown]


def after(name, steps, end=2.0, **given):
    equation = model(**given)
    return equation, marched(equation, name, equation.initial(), end / steps, steps)


@pytest.mark.parametrize("name", STEPPERS)
def test_small_waves_grow_and_decay_as_the_linear_theory_says(name):
    equation = model()
    x, waves = equation.space.points()[0], (4, 11, 16, 20)
    k = [2 * math.pi * n / LENGTH for n in waves]
    start = 1e-9 * sum(torch.cos(q * x) for q in k).unsqueeze(0)
    hat = marched(equation, name, equation.space.forward(start), 0.002, 1500)
    for n, q in zip(waves, k, strict=True):
        rate = math.log(2e9 * float(hat[0, n].abs())) / 3
        assert rate == pytest.approx(q**2 - q**4, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize(("name", "order"), STEPPERS.items())
def test_errors_fall_with_the_order_of_the_stepper(name, order):
    exact = after("etdrk4", 400)[1]
    coarse, fine = (float((after(name, n)[1] - exact).abs().max()) for n in (20, 40))
    assert math.log2(coarse / fine) > order - 0.25


def test_mean_is_conserved_and_energy_follows_its_budget():
    equation, h = model(amplitude=1.0), 0.05
    start = equation.initial()
    start[0, 0] = 0.3
    hat = marched(equation, "etdrk4", start, 0.05, 600)
    assert equation.monitor(hat, 30.0)["mean"] == pytest.approx(0.3, abs=1e-14)
    rows = [equation.monitor(hat, 0.0)]
    for _ in range(2):
        hat = marched(equation, "etdrk4", hat, h / 4, 4)
        rows.append(equation.monitor(hat, 0.0))
    slope = (rows[2]["energy"] - rows[0]["energy"]) / (2 * h)
    assert slope == pytest.approx(rows[1]["production"] - rows[1]["dissipation"], rel=1e-2, abs=1e-3)


def test_noise_has_its_size_and_no_mean():
    equation = model(amplitude=0.1, start=lambda space, a: noise(space, a, 7))
    hat = equation.initial()
    assert equation.rms(hat) == pytest.approx(0.1, rel=1e-12)
    assert abs(equation.monitor(hat, 0.0)["mean"]) < 1e-16
    assert float((hat * (equation.space.k2 >= 1)).abs().max()) < 1e-16


def test_derived_fields_are_derivatives():
    equation = model()
    x, q = equation.space.points()[0], 2 * math.pi * 3 / LENGTH
    hat = equation.space.forward(torch.sin(q * x).unsqueeze(0))
    assert torch.allclose(equation.derived("slope", hat, 0.0)[0], q * torch.cos(q * x), atol=1e-13)
    assert torch.allclose(equation.derived("curvature", hat, 0.0)[0], -(q**2) * torch.sin(q * x), atol=1e-13)


def test_a_plane_is_refused():
    physics = made("physics", "kuramoto_sivashinsky")
    with pytest.raises(InputError, match="one axis, not 2"):
        physics.model(Fourier((8, 8), (1.0, 1.0)))
