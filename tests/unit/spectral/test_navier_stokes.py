"""Incompressible flow: exact vortices, conservation, the Taylor-Green flow at Re 100, derived fields."""

import math
import os

import pytest
import torch

from plexus.fields.state import State
from plexus.physics.navier_stokes import NavierStokes, NavierStokesParams
from plexus.spaces.fourier import Fourier
from plexus.stepping.steppers.ifrk4 import Ifrk4, Ifrk4Params
from plexus.stepping.steppers.imex_rk import ImexRk, ImexRkParams
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

TWO_PI = 2 * math.pi


def flow(cells, nu, lengths=None, **params):
    space = Fourier(cells, lengths or (TWO_PI,) * len(cells))
    return NavierStokes(NavierStokesParams(viscosity=nu, **params)).model(space)


def march(model, stepper, dt, steps, look=None):
    state = State({"velocity": model.initial()})
    for n in range(steps):
        if look:
            look(n * dt, state.values["velocity"])
        state = State(stepper.step(model, state, n * dt, dt).values)
    return state.values["velocity"]


def test_vortices_of_taylor_decay_exactly_in_two_dimensions():
    """The products of this flow are a gradient, so every stepper with an exact linear part is exact."""
    model = flow((16, 24), 0.1)
    hat = march(model, Ifrk4(Ifrk4Params()), 0.1, 10)
    exact = model.initial() * math.exp(-2 * 0.1 * 1.0)
    assert float((hat - exact).abs().max()) < 1e-14
    assert model.monitor(hat, 1.0)["energy"] == pytest.approx(0.25 * math.exp(-4 * 0.1))


@pytest.mark.parametrize(
    ("make", "order"), [(lambda: Sbdf2(Sbdf2Params()), 2), (lambda: ImexRk(ImexRkParams()), 3)]
)
def test_vortices_carried_by_a_wind_converge_with_the_stepper(make, order):
    """The same vortices on a uniform wind (1, 0.5): an exact solution in which the products count."""
    errors = []
    for steps in (20, 40):
        model = flow((16, 16), 0.05)
        x, y = model.space.points()
        wind = torch.tensor([1.0, 0.5], dtype=torch.float64).reshape(2, 1, 1)

        def exact(t, x=x, y=y, wind=wind):
            a, b = x - t, y - 0.5 * t
            return wind + math.exp(-0.1 * t) * torch.stack([-a.cos() * b.sin(), a.sin() * b.cos()])

        model.start = lambda exact=exact: exact(0.0)
        hat = march(model, make(), 1 / steps, steps)
        errors.append(float((model.space.inverse(hat) - exact(1.0)).abs().max()))
    assert math.log2(errors[0] / errors[1]) > order - 0.15


@pytest.mark.parametrize("cells", [(24, 24), (12, 12, 12)])
def test_products_conserve_energy(cells):
    model = flow(cells, 1e-9, start="random", peak=3)
    hat = model.initial()
    rate = model.explicit(hat, 0.0)
    power = float((model.space.weight * (hat.conj() * rate).real).sum())
    assert abs(power) < 1e-14 * float(model.space.power(rate).sum())
    assert model.monitor(hat, 0.0)["divergence"] < 1e-14
    assert model.rms(hat) == pytest.approx(1)


def test_momentum_and_divergence_stay_zero():
    model = flow((12, 10, 8), 0.02, (TWO_PI, 4.0, 5.0), start="random", peak=2)
    hat = march(model, Ifrk4(Ifrk4Params()), 0.02, 5)
    assert float(hat[:, 0, 0, 0].abs().max()) < 1e-15
    assert model.monitor(hat, 0.1)["divergence"] < 1e-13


def peak(model, dt, steps):
    """Return height and time of the largest dissipation, by a parabola through the three largest values."""
    seen = []
    march(
        model,
        Sbdf2(Sbdf2Params()),
        dt,
        steps,
        lambda t, hat: seen.append(model.monitor(hat, t)["dissipation"]),
    )
    j = max(range(len(seen)), key=seen.__getitem__)
    a, b, c = seen[j - 1 : j + 2]
    shift = (a - c) / (a - 2 * b + c) / 2
    return b - (a - c) * shift / 4, (j + shift) * dt, seen


def test_taylor_green_vortex_at_reynolds_100():
    """Peak of the dissipation 0.012975 at t = 4.887 on 48³ points (64³ give the same)."""
    height, when, seen = peak(flow((48,) * 3, 0.01), 0.04, 131)
    assert seen[0] == pytest.approx(0.0075)
    assert seen[50] == pytest.approx(0.009266, rel=1e-3)
    assert height == pytest.approx(0.012975, rel=2e-3)
    assert when == pytest.approx(4.887, abs=0.03)


@pytest.mark.skipif("PLEXUS_LONG_TESTS" not in os.environ, reason="half a minute; set PLEXUS_LONG_TESTS")
def test_taylor_green_vortex_at_reynolds_200():
    height, when, _ = peak(flow((64,) * 3, 0.005), 0.02, 320)
    assert height == pytest.approx(0.01279, rel=5e-3)
    assert when == pytest.approx(5.976, abs=0.05)


def test_derived_fields_of_the_vortices():
    model = flow((24, 16), 0.1)
    hat, (x, y) = model.initial(), model.space.points()
    vorticity = 2 * x.cos() * y.cos()
    assert torch.allclose(model.derived("vorticity", hat, 0.0), vorticity.unsqueeze(0), atol=1e-13)
    pressure = -((2 * x).cos() + (2 * y).cos()) / 4
    assert torch.allclose(model.derived("pressure", hat, 0.0), pressure.unsqueeze(0), atol=1e-13)
    energy = model.derived("kinetic_energy", hat, 0.0)
    assert float(model.space.mean(energy)) == pytest.approx(0.25)


@pytest.mark.parametrize("cells", [(16, 16), (12, 12, 12)])
def test_means_of_derived_fields_are_those_of_the_modes(cells):
    model = flow(cells, 0.1, start="random", peak=2)
    hat = model.initial()
    told = model.monitor(hat, 0.0)

    def mean(name, power=1):
        return float(model.space.mean(model.derived(name, hat, 0.0) ** power))

    assert mean("dissipation") == pytest.approx(told["dissipation"])
    assert mean("vorticity", 2) / 2 == pytest.approx(told["enstrophy"])
    assert mean("swirl") == pytest.approx(0, abs=1e-12 * told["enstrophy"])


def test_initial_velocity_of_the_deck():
    space = Fourier((8, 8), (TWO_PI, TWO_PI))
    physics = NavierStokes(NavierStokesParams(viscosity=0.1))
    x, y = space.points()
    given = torch.stack([y.sin() + 0 * x, x.cos() + 0 * y])
    model = physics.model(space, initial={"velocity": given})
    assert torch.allclose(model.derived("velocity", model.initial(), 0.0), given, atol=1e-14)
