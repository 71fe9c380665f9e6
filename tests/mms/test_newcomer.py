"""A model that gives nothing but its flux: tangent and source come from automatic differentiation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import study

from plexus import registry
from plexus.deck.params import Field
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.formulation.manufactured import Manufactured
from plexus.protocols import FieldSpec, Flux, Point

SPEC = FieldSpec("c", "mol/m^3", "scalar", "concentration")


class FisherParams(PhysicsParams):
    """Parameters of the Fisher equation."""

    growth: float = Field(1.0, gt=0, description="growth rate")


class FisherEquation(EquationBase):
    """c_t - ∇·((1 + c²) ∇c) = r c (1 - c)."""

    field = SPEC
    time_order = 1

    def __init__(self, growth: float):
        self.growth = growth

    def flux(self, p: Point) -> Flux:
        """Return the integrands."""
        c = p.u
        return Flux(f0=p.rate - self.growth * c * (1 - c), f1=(1 + c**2)[..., None] * p.grad)


class Fisher:
    """The model."""

    def __init__(self, params: FisherParams):
        self.equations = [FisherEquation(params.growth)]

    @staticmethod
    def fields(params: FisherParams) -> Sequence[FieldSpec]:
        """Return the unknown."""
        return (SPEC,)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register("physics", "fisher", FisherParams)(Fisher)
    yield
    registry.forget("physics", "fisher")


@pytest.mark.parametrize("degree", [1, 2])
def test_flux_is_enough(degree: int) -> None:
    exact = {"c": {2: "0.5 + 0.3*sin(2*x)*cos(y)"}}
    case = Manufactured("flux only", {"type": "fisher", "growth": 2.0}, exact)
    observed = study.orders(case, "triangle", degree)
    assert observed["c_L2"] >= degree + 0.9
    assert observed["c_H1"] >= degree - 0.1
