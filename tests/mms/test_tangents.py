"""Explicit tangents against automatic differentiation of the same flux, for every shipped model."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from random_point import random_point

from plexus import registry
from plexus.boundary.force import Force
from plexus.formulation import autodiff
from plexus.formulation.base import EquationBase
from plexus.formulation.terms import Term
from plexus.protocols import Equation, FieldSpec, Flux
from plexus.protocols.facets import across

T = FieldSpec("temperature", "K")
U = FieldSpec("displacement", "m", "vector")
BLOCKS = ("c00", "c01", "c10", "c11", "m00")


def equations(name: str, case: str) -> tuple[list[FieldSpec], list[Equation]]:
    """Return fields and equations of a manufactured case."""
    component = registry.component("physics", name)
    module = importlib.import_module(component.cls.__module__)
    spec = next(c for c in module.manufactured() if c.name == case)
    params = component.params.model_validate({k: v for k, v in spec.physics.items() if k != "type"})
    return list(component.cls.fields(params)), list(component.cls(params).equations)


def cases() -> list[tuple[str, str, str, int]]:
    """Return (model, case, unknown, dimension) of all equations that write their tangent."""
    found = []
    for name in registry.names("physics"):
        module = importlib.import_module(registry.component("physics", name).cls.__module__)
        for case in getattr(module, "manufactured", list)():
            own = [e for e in equations(name, case.name)[1] if type(e).tangent is not EquationBase.tangent]
            found += [(name, case.name, e.field.name, dim) for e in own for dim in case.dimensions]
    return found


def same(explicit: object, automatic: object, shape: tuple[int, ...]) -> None:
    """Compare two blocks, None meaning zero."""
    a = np.zeros(shape) if explicit is None else np.broadcast_to(explicit, shape)
    b = np.zeros(shape) if automatic is None else np.broadcast_to(automatic, shape)
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("name", "case", "unknown", "dim"), cases())
def test_tangent_of_equation(name: str, case: str, unknown: str, dim: int) -> None:
    fields, found = equations(name, case)
    equation = next(e for e in found if e.field.name == unknown)
    names = [s.name for s in equation.fields]
    own = names if len(names) > 1 else names[0]
    p = random_point(fields, own, dim, internal=equation.internal)
    explicit, automatic = equation.tangent(p), autodiff.tangent(equation, p)
    count = sum(s.components(dim) for s in equation.fields)
    m = () if count == 1 and equation.field.shape == "scalar" else (count,)
    shapes = {
        "c00": (*m, *m),
        "c01": (*m, *m, dim),
        "c10": (*m, dim, *m),
        "c11": (*m, dim, *m, dim),
        "m00": (*m, *m),
    }
    for block in BLOCKS:
        same(getattr(explicit, block), getattr(automatic, block), (3, 4, *shapes[block]))


TERMS = [
    ("flux", {"value": "1 + 0.5*temperature^2"}, T),
    ("convection", {"coefficient": "2 + temperature*x", "ambient": "0.5 + 0.1*temperature"}, T),
    ("contact", {"conductance": "2 + temperature*x"}, T),
    ("contact", {"resistance": "2 + temperature^2"}, T),
    ("radiation", {"emissivity": "0.8 + 0.1*temperature", "ambient": 2.5}, T),
    ("robin", {"coefficient": "1 + temperature", "value": "temperature^2"}, T),
    ("traction", {"value": ["x", "y", 2]}, U),
    ("pressure", {"value": "1 + y"}, U),
    ("force", {"value": ["1 kN", "2 kN", 0]}, U),
    ("spring", {"normal": "1 + x", "tangential": 0.3}, U),
]


@pytest.mark.parametrize(
    ("name", "data", "field"), TERMS, ids=lambda value: value if isinstance(value, str) else None
)
def test_tangent_of_boundary_term(name: str, data: dict, field: FieldSpec) -> None:
    component = registry.component("boundary", name)
    term: Term = component.cls(component.params.model_validate(data), field)
    if isinstance(term, Force):
        term.spread = 2.0
    p, other = (random_point([T, U], field.name, 3, seed=seed, normal=True) for seed in (1, 2))
    # both sides lie at one place
    other.x = p.x
    p.other, other.other = other, p
    m = () if field.shape == "scalar" else (3,)
    same(term.tangent(p).c00, autodiff.tangent(term, p, field).c00, (3, 4, *m, *m))
    if across(term):
        # what leaves one side enters the other, so that the slope there is that of the flux back
        same(term.flux(p).f0, -term.flux(other).f0, (3, 4))
        same(term.tangent(p).across, -autodiff.tangent(term, other, field).c00, (3, 4))
    else:
        assert term.tangent(p).across is None


def test_every_term_is_covered() -> None:
    without = {"outflow"}  # a condition whose integral is zero
    for name in without:
        component = registry.component("boundary", name)
        assert component.cls(component.params(), T).flux(random_point([T], T.name, 3, normal=True)) == Flux()
    assert {t[0] for t in TERMS} | without == set(registry.names("boundary"))
