"""Jumps: no new extrema, no rising variation, shocks where they belong, balances that close to rounding."""

import numpy as np
import pytest
import torch
from volume_cases import function, march, means, scheme

from plexus.models.volumes.sides import Given, Outflow, Prescribed
from plexus.spaces.stencils import choices

SQUARE = "max(0, sign(0.2 - abs(x - 0.4)))"
LIMITERS = ["minmod", "van_leer", "mc", "superbee"]
CARRIED = {"type": "advection_diffusion", "velocity": [1]}


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("limiter", LIMITERS)
def test_a_jump_makes_no_new_extrema(limiter, order):
    made = scheme(CARRIED, (50,), {"type": "muscl", "limiter": limiter})
    u = means(made, SQUARE)
    seen = [u]
    march(made, u, 1.0, 0.5, order, seen.append)
    lowest, highest = min(float(v.min()) for v in seen), max(float(v.max()) for v in seen)
    assert lowest >= -1e-12
    assert highest <= 1 + 1e-12
    variation = [float((v - v.roll(1, -1)).abs().sum()) for v in seen]
    assert max(np.diff(variation)) <= 1e-12
    assert variation[-1] > 1.5, "the square shall survive one turn"


@pytest.mark.parametrize("limiter", LIMITERS)
def test_a_square_in_a_plane_stays_between_its_values(limiter):
    made = scheme(
        {"type": "advection_diffusion", "velocity": [1, 0.5]}, (24, 24), {"type": "muscl", "limiter": limiter}
    )
    u = means(made, "max(0, sign(0.2 - abs(x - 0.4)))*max(0, sign(0.2 - abs(y - 0.5)))")
    seen = []
    march(made, u, 0.5, 0.5, look=seen.append)
    assert min(float(v.min()) for v in seen) >= -1e-12
    assert max(float(v.max()) for v in seen) <= 1 + 1e-12


@pytest.mark.parametrize("riemann", ["rusanov", "godunov"])
@pytest.mark.parametrize("reconstruction", ["upwind", "muscl", "weno5"])
def test_a_shock_moves_with_the_mean_of_its_sides(reconstruction, riemann):
    n, rules = 100, {(0, 0): Prescribed(function("1 + 0*x")), (0, 1): Outflow()}
    made = scheme({"type": "burgers"}, (n,), reconstruction, riemann, rules)
    places = []
    for end in (0.4, 0.8):
        u = march(made, means(made, "(1 - sign(x - 0.2))/2"), end)[0, 0]
        # the place of a jump from 1 to 0 from the amount, and from where the profile crosses 1/2
        crossing = float((u > 0.5).sum()) / n
        assert abs(crossing - (0.2 + end / 2)) <= 1 / n
        places.append(float(u.sum()) / n)
    assert places[1] - places[0] == pytest.approx(0.2, abs=1e-12)


@pytest.mark.parametrize("reconstruction", ["muscl", "weno5"])
def test_an_n_wave_decays_as_it_should(reconstruction):
    """Between its shocks u = (x - 1/2)/t for late times; each half keeps no amount of the other."""
    made = scheme({"type": "burgers"}, (200,), reconstruction, "godunov")
    # x/T at t = 0 opens like x/(T + t), its ends at ±1/2 stand still by symmetry
    u = march(made, means(made, "(x - 0.5)*4"), 0.5, 0.3)[0, 0]
    x = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    inner = (x - 0.5).abs() < 0.45
    assert float((u - (x - 0.5) * 4 / (1 + 4 * 0.5))[inner].abs().max()) < 1e-7


def test_godunov_opens_a_fan_through_the_sonic_point():
    rules = {(0, 0): Outflow(), (0, 1): Outflow()}
    made = scheme({"type": "burgers"}, (200,), "upwind", "godunov", rules)
    u = march(made, means(made, "sign(x - 0.5)"), 0.3)[0, 0]
    x = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    exact = ((x - 0.5) / 0.3).clamp(-1, 1)
    assert float((u - exact).abs().mean()) < 0.03
    assert float(u.diff().max()) < 0.15, "an expansion shock is no solution"


@pytest.mark.parametrize("reconstruction", ["upwind", "muscl", "weno5"])
@pytest.mark.parametrize("dim", [1, 2])
def test_the_balance_closes_to_rounding(dim, reconstruction):
    """d/dt of the amount is what the sides let in, and nothing else."""
    rules = {(0, 0): Prescribed(function("1 + t + 0*x")), (0, 1): Outflow()}
    if dim == 2:
        rules |= {(1, 0): Given(function("0.3 + 0*x")), (1, 1): Given(function("0*x"))}
    velocity = [1, 0.5][:dim]
    physics = {"type": "advection_diffusion", "velocity": velocity, "diffusivity": "0.01*(1 + x)"}
    made = scheme(physics, (20,) * dim, reconstruction, rules=rules)
    u = means(made, "sin(7*x) + x^2")
    volume = made.slab.grid.volume / made.slab.grid.n_global_cells
    rate = float(made.rates(u, 0.3).sum()) * volume
    out = sum(float(made.outflow(u, 0.3, axis, end)) for axis, end in rules)
    assert abs(rate + out) <= 1e-12 * max(1.0, abs(out))
    if dim == 2:
        assert float(made.outflow(u, 0.3, 1, 0)) == pytest.approx(-0.3, rel=1e-13)
        assert float(made.outflow(u, 0.3, 1, 1)) == 0.0


def test_members_of_an_ensemble_are_runs_of_their_own():
    made = scheme({"type": "burgers", "viscosity": 0.01}, (32,), "weno5")
    starts = [means(made, text) for text in ("sin(2*pi*x)", "1 + cos(2*pi*x)", "0.5*sin(4*pi*x)")]
    batch = march(made, torch.cat(starts), 0.1, dt=0.002)
    for member, start in zip(batch, starts, strict=True):
        assert torch.equal(member, march(made, start, 0.1, dt=0.002)[0])


def test_a_gradient_goes_through_a_step():
    made = scheme({"type": "burgers", "viscosity": 0.02}, (16,), "weno5", "godunov")
    u = means(made, "0.3 + sin(2*pi*x)")
    direction = means(made, "cos(6*pi*x + 0.4)")

    def loss(v):
        a = v + 0.01 * made.rates(v, 0.0)
        b = (3 * v + a + 0.01 * made.rates(a, 0.01)) / 4
        return ((v + 2 * b + 0.02 * made.rates(b, 0.005)) / 3).pow(3).sum()

    leaf = u.clone().requires_grad_()
    loss(leaf).backward()
    slope = float((leaf.grad * direction).sum())
    h = 1e-5
    difference = float(loss(u + h * direction) - loss(u - h * direction)) / (2 * h)
    assert slope == pytest.approx(difference, rel=1e-6)


@pytest.mark.parametrize("name", ["minmod", "larger"])
def test_choices_have_the_gradients_of_their_formulas(name):
    """Signs give what torch's masks give, at ties and zeros too."""
    formulas = {"minmod": choices._minmod, "larger": lambda a, b: a.abs().maximum(b.abs())}
    ends = torch.linspace(-2, 2, 9, dtype=torch.float64)
    pairs = [x.requires_grad_() for x in torch.cartesian_prod(ends, ends).T.contiguous()]
    made, known = getattr(choices, name)(*pairs), formulas[name](*pairs)
    assert torch.equal(made, known)
    slopes = (torch.autograd.grad(f, pairs, 1 + ends.repeat(9)) for f in (made, known))
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-15)
