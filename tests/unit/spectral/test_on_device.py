"""Steps stay on the device: on torch's meta device an array of the host in their midst is an error."""

import pytest
import torch

from plexus import registry
from plexus.models.incompressible import IncompressibleModel
from plexus.models.suspension.passive import Memory
from plexus.spaces.fourier import Fourier
from plexus.stepping.steppers import etdrk4, ifrk4, imex_rk, sbdf2

MODELS = [
    ("active_fluid_kinetic", {"angles": 32}, None),
    ("active_fluid", {"order": 20}, None),
    ("active_fluid", {"order": 1}, "bingham"),
    ("active_fluid", {"order": 1}, "quadratic"),
    ("active_fluid", {"order": 2}, "autoregressive"),
]


@pytest.mark.parametrize(("name", "parameters", "closure"), MODELS)
def test_rates_of_a_suspension(name, parameters, closure):
    physics, closing = registry.component("physics", name), None
    if closure:
        member = registry.component("closure", closure)
        closing = member.cls(member.params.model_validate({}))
    space = Fourier((16, 16), (10.0, 10.0), device="meta")
    model = physics.cls(physics.params.model_validate(parameters)).model(space, closing)
    hat = torch.zeros(model.linear.shape[0], 16, 16, dtype=torch.complex128, device="meta")
    e, w = hat[0], hat[0].real
    rates, memory = model.rates(hat, 0.3, Memory(e, w, 0.2, e, w, 0.1))
    assert rates.shape == hat.shape
    assert {rates.device.type, memory.e.device.type} == {"meta"}


@pytest.mark.parametrize("cells", [(16, 12), (8, 6, 10)])
@pytest.mark.parametrize("dealias", ["two_thirds", "smooth36"])
def test_flow_and_all_steppers(cells, dealias):
    space = Fourier(cells, (1.0,) * len(cells), device="meta", real=True, dealias=dealias)
    model = IncompressibleModel(space, 0.1, lambda: None)
    hat = torch.zeros(len(cells), *space.hat_shape, dtype=torch.complex128, device="meta")
    dt, linear = 0.1, model.linear
    level = sbdf2.Level(0.0, hat, model.explicit(hat, 0.0))
    new = [
        sbdf2.Formula.of(linear, dt).advance(level, level),
        sbdf2.begin(model, level, dt),
        etdrk4.advance(model, hat, 0.0, dt, etdrk4.functions(linear, dt)),
        ifrk4.advance(model, hat, 0.0, dt, ((dt * linear).exp(), (dt / 2 * linear).exp())),
        *imex_rk.advance(model, hat, 0.0, dt, 1 / (1 - dt * linear), imex_rk.TABLEAUS[3]),
    ]
    for tensor in new:
        assert (tensor.device.type, tensor.shape) == ("meta", hat.shape)
    for name in ("velocity", "vorticity", "pressure", "dissipation", "swirl", "kinetic_energy"):
        assert model.derived(name, hat, 0.0).device.type == "meta"
