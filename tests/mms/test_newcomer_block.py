"""A block of a vector and a scalar that gives nothing but its flux: tangent and source are automatic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import study

from plexus import registry
from plexus.fields.arrays import stack
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.formulation.manufactured import Manufactured
from plexus.protocols import FieldSpec, Flux, Point

W, S = FieldSpec("w", "m", "vector", "displacement"), FieldSpec("s", "1", "scalar", "swelling")


class SwellingParams(PhysicsParams):
    """There is nothing to choose."""


class SwellingEquation(EquationBase):
    """-∇·((1 + s²) ∇w) + s e_x = 0 and -∇²s + s + |w|² = 0, solved at once."""

    field = W
    fields = (W, S)

    def flux(self, p: Point) -> Flux:
        """Return the integrands; the swelling is read by its name."""
        w, s = p.u[..., :-1], p.u[..., -1]
        zero = 0.0 * s
        sources = [p.fields["s"].value, *[zero] * (p.dim - 1), s + (w * w).sum(-1)]
        factors = stack([1 + s**2] * p.dim + [1 + zero])
        return Flux(stack(sources), factors[..., None] * p.grad)


class Swelling:
    """The model."""

    def __init__(self, params: SwellingParams):
        self.equations = [SwellingEquation()]

    @staticmethod
    def fields(params: SwellingParams) -> Sequence[FieldSpec]:
        """Return the unknowns."""
        return (W, S)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register("physics", "swelling", SwellingParams)(Swelling)
    yield
    registry.forget("physics", "swelling")


@pytest.mark.parametrize(("cell", "degree"), [("triangle", 1), ("quadrilateral", 2), ("tetrahedron", 1)])
def test_flux_is_enough(cell: str, degree: int) -> None:
    plane, solid = ["sin(2*x)*cos(y)", "cos(x + y)"], ["sin(x)*cos(y)", "cos(x + y)", "exp(0.3*z)*x"]
    wave = {2: "0.5 + 0.3*sin(2*x)*cos(y)", 3: "0.5 + 0.3*sin(x)*cos(y)*exp(0.3*z)"}
    case = Manufactured("flux only", {"type": "swelling"}, {"w": {2: plane, 3: solid}, "s": wave})
    observed = study.orders(case, cell, degree)
    for name in ("w", "s"):
        assert observed[f"{name}_L2"] >= degree + 0.9
        assert observed[f"{name}_H1"] >= degree - 0.1
