"""Diffusion of one scalar: steady or transient, heterogeneous, anisotropic, with reaction.

    c u_t - ∇·(k ∇u) + r u = s          in the body
    u given, or k ∇u·n = flux           on its boundary

====== ============================================ =================
symbol meaning                                      unit
====== ============================================ =================
u      unknown, named by ``field``                  ``unit``
k      coefficient, a scalar or a d x d tensor       m²/s for c = 1
c      capacity (1 for plain diffusion)              free
r      reaction rate, positive consumes u            1/s for c = 1
s      source                                        unit·c/s
====== ============================================ =================

Every coefficient is a number, an expression of x, y, z, t and u, a table, or one of these by region.
Units are the user's: the equation only asks that they agree. Source: J. Crank, The Mathematics of
Diffusion, 2nd ed., Oxford 1975, sections 1.2 to 1.4. Valid where Fick's law holds; k must be positive
(positive definite as a tensor) or the problem is ill posed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Field, Property, Within
from plexus.deck.unitnames import simplified
from plexus.deck.values import fit_at
from plexus.formulation.base import PhysicsParams
from plexus.formulation.entries import Square
from plexus.formulation.kinematics import FitsMesh, Section
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.properties import TensorProperty
from plexus.formulation.transport import CAPACITY, Coefficients, Transport
from plexus.protocols import FieldSpec
from plexus.registry import register


class DiffusionParams(PhysicsParams):
    """Parameters of `Diffusion`."""

    field: str = Field("u", pattern=r"^[A-Za-z]\w{0,99}$(?!\n)", description="name of the unknown")
    unit: str = Field("1", description="unit of the unknown, kept with the results")
    coefficient: Annotated[Property | TensorProperty, Square, Within(ge=0)] = Field(
        description="diffusion coefficient k: one property, or a list of rows for a tensor"
    )
    capacity: Property = Field(1.0, description="factor c on the time derivative")
    mass: Literal["consistent", "lumped"] = CAPACITY
    reaction: Property | None = Field(None, description="reaction rate r; positive consumes the unknown")
    source: Property | None = Field(None, description="source s per volume")
    geometry: Annotated[Literal["cartesian", "axisymmetric"], FitsMesh] = Field(
        "cartesian", description="axisymmetric: x is the radius, y the axis, a 2-D mesh is the section"
    )

    @model_validator(mode="after")
    def _agree(self) -> DiffusionParams:
        """Check that all terms of the balance have the unit that one of them states."""
        k = self.conducted
        if not k or self.unit == "1":
            return self
        fit_at("coefficient", self.coefficient, k)
        # c u/s = k u/m² = r u = s
        for name, unit in (
            ("capacity", f"{k} s/m^2"),
            ("reaction", f"{k}/m^2"),
            ("source", f"{k} {self.unit}/m^2"),
        ):
            if (value := getattr(self, name)) is not None:
                fit_at(name, value, unit)
        return self

    @property
    def conducted(self) -> str:
        """Unit of the coefficient where the deck states it, else empty."""
        k = self.coefficient
        entries = [e for row in k for e in row] if isinstance(k, tuple) else [k]
        return next((e.unit for e in entries if e.unit), "")


@register("physics", "diffusion", DiffusionParams)
class Diffusion:
    """One scalar `Transport` equation."""

    def __init__(self, params: DiffusionParams):
        p = params
        # k ∇u, with k in m²/s where the deck does not say
        of = "" if p.unit == "1" else f"*({p.unit})"
        unit = simplified(f"({p.conducted}){of}/m") if p.conducted else f"({p.unit})*m/s"
        flux = FieldSpec(f"{p.field}_flux", unit, "vector", "flux density -k∇u")
        equation = Transport(
            self.fields(p)[0],
            Coefficients(p.coefficient, capacity=p.capacity, reaction=p.reaction, source=p.source),
            flux_field=flux,
            section=Section(p.geometry),
            lumped=p.mass == "lumped",
        )
        equation.boundary_terms = ("flux", "robin", "contact")
        equation.exchanged = flux.unit if p.conducted and p.unit != "1" else ""
        self.equations = [equation]

    @staticmethod
    def fields(params: DiffusionParams) -> Sequence[FieldSpec]:
        """Return the unknown."""
        return (FieldSpec(params.field, params.unit, "scalar", "diffusing quantity"),)


EXAMPLE: dict[str, Any] = {
    "coefficient": [[2.0, 0.5], [0.5, 1.0]],
    "source": "sin(pi*x)",
}


def manufactured() -> list[Manufactured]:
    """Return smooth solutions with a variable, an anisotropic and a solution-dependent coefficient."""
    # no symmetry of the box, no zero on its boundary: nothing cancels by accident
    wave = {1: "sin(2*x + 0.3)", 2: "sin(2*x + 0.3)*cos(1.5*y)", 3: "sin(2*x + 0.3)*cos(1.5*y)*exp(0.5*z)"}
    plane, solid = [[2, 0.5], [0.3, 1]], [[2, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 1.5]]
    return [
        Manufactured(
            "variable", {"type": "diffusion", "coefficient": "1 + x^2", "reaction": 1.5}, {"u": wave}
        ),
        Manufactured("nonlinear", {"type": "diffusion", "coefficient": "1 + 0.5*u^2"}, {"u": wave}),
        Manufactured("anisotropic2", {"type": "diffusion", "coefficient": plane}, {"u": {2: wave[2]}}),
        Manufactured("anisotropic3", {"type": "diffusion", "coefficient": solid}, {"u": {3: wave[3]}}),
    ]
