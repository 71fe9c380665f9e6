"""Models without a mesh against their equations, and the dense Newton method."""

import pytest
import torch

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.models.lorenz96 import Lorenz96Model
from plexus.models.van_der_pol import VanDerPolModel
from plexus.protocols import RatesPhysics
from plexus.solvers.batched.dense import jacobians
from plexus.solvers.batched.newton import newton
from plexus.spaces.blocks import Blocks

MODELS = [n for n in registry.names("physics") if made_for(n).physics is RatesPhysics]


def made(name):
    component = registry.component("physics", name)
    import sys

    physics = component.cls(component.params(**sys.modules[component.cls.__module__].EXAMPLE))
    return physics, physics.model()


def some(model, members=3):
    torch.manual_seed(5)
    return {n: torch.randn(members, k, dtype=torch.float64) for n, k in model.sizes.items()}


@pytest.mark.parametrize("name", MODELS)
def test_sizes_and_names_agree_with_the_deck(name):
    physics, model = made(name)
    assert model.sizes == physics.unknowns(physics.params)
    assert list(model.sizes) == [spec.name for spec in physics.fields(physics.params)]
    assert set(model.scales) == set(model.sizes)
    assert all(max(model.sizes.values()) % size == 0 for size in model.sizes.values())
    start = model.start()
    assert {n: x.shape for n, x in start.items()} == {n: (k,) for n, k in model.sizes.items()}


@pytest.mark.parametrize("name", MODELS)
def test_batches_are_members_one_by_one(name):
    physics, model = made(name)
    values = some(model)
    whole = model.rates(values, 0.3)
    for m in range(3):
        one = model.rates({n: x[m] for n, x in values.items()}, 0.3)
        for n in values:
            assert torch.equal(whole[n][m], one[n])
    for spec in physics.derived_specs():
        assert model.derived(spec.name, values, 0.3).shape[0] == 3


@pytest.mark.parametrize("name", MODELS)
def test_jacobian_is_the_derivative_of_the_rates(name):
    _, model = made(name)
    values, blocks = some(model), Blocks(model.sizes)
    given = model.jacobian(values, 0.3)
    assert given is not None
    found = jacobians(lambda x: blocks.join(model.rates(blocks.split(x), 0.3)), blocks.join(values))
    torch.testing.assert_close(given, found, rtol=1e-13, atol=1e-13)


def test_lorenz_96_is_its_formula_and_advection_keeps_the_energy():
    model, n = Lorenz96Model(9, 7.5), 9
    x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    by_hand = [(x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + 7.5 for i in range(n)]
    rates = model.rates({"state": x}, 0.0)["state"]
    torch.testing.assert_close(rates, torch.stack(by_hand), rtol=1e-14, atol=1e-14)
    assert float(x @ (rates + x - 7.5)) == pytest.approx(0, abs=1e-13)


def test_van_der_pol_is_the_equation_of_second_order():
    mu = 3.0
    model = VanDerPolModel(mu)
    x, w = torch.tensor([[0.7]]).double(), torch.tensor([[-0.4]]).double()
    first = model.rates({"position": x, "lienard": w}, 0.0)
    # x'' by the chain rule
    second = mu * ((1 - x**2) * first["position"] - first["lienard"])
    residual = second - mu * (1 - x**2) * first["position"] + x
    assert float(residual.abs().max()) < 1e-14


def test_newton_finds_the_roots_of_every_member_by_itself():
    target = torch.tensor([[2.0, 3.0], [5.0, 1e-6], [0.25, 7.0]], dtype=torch.float64)

    def squares(goal):
        return lambda u: (u * u - goal, torch.diag_embed(2 * u))

    blocks = Blocks({"a": 1, "b": 1})
    roots, _, failed = newton(squares(target), torch.ones_like(target), blocks)
    assert not failed.any()
    torch.testing.assert_close(roots, target.sqrt(), rtol=1e-14, atol=0)
    for m in range(3):
        alone, _, _ = newton(squares(target[m : m + 1]), torch.ones(1, 2).double(), blocks)
        assert torch.equal(alone[0], roots[m])


def test_newton_says_that_it_failed():
    def without_root(u):
        return u * u + 1, torch.diag_embed(2 * u)

    _, _, failed = newton(without_root, torch.full((1, 1), 0.3).double(), Blocks({"u": 1}))
    assert failed.all()
    _, _, failed = newton(without_root, torch.zeros(1, 1).double(), Blocks({"u": 1}))
    assert failed.all(), "a singular matrix is no solution"
