"""Heat conduction, steady or transient, linear or nonlinear.

    ρ c(T) T_t - ∇·(k(T) ∇T) = q        in the body
    T given, or k ∇T·n = what the boundary terms bring in

====== ============================== ==========
symbol meaning                        unit
====== ============================== ==========
T      temperature                    K
ρ      density                        kg/m³
c      specific heat capacity         J/(kg K)
k      conductivity, scalar or tensor W/(m K)
q      heat source per volume         W/m³
====== ============================== ==========

Boundary terms: flux, convection, radiation (temperatures are absolute), contact between regions. Source:
H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, chapter 1. Valid for
Fourier's law: lengths above the mean free path and times above the relaxation time of the heat carriers; the
form ρ c(T) T_t holds without phase change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from plexus.deck.params import Field, Property, Unit
from plexus.formulation.base import PhysicsParams
from plexus.formulation.kinematics import FitsMesh, Section
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.material import Material
from plexus.formulation.properties import Product
from plexus.formulation.transport import CAPACITY, Coefficients, Transport
from plexus.protocols import FieldSpec
from plexus.registry import register

TEMPERATURE = FieldSpec("temperature", "K", "scalar", "absolute temperature", 293.15, (0.0, None))


class HeatParams(PhysicsParams):
    """Parameters of `Heat`."""

    material: Material = Field(description="density, specific_heat (transient only) and conductivity")
    capacity: Literal["consistent", "lumped"] = CAPACITY
    source: Annotated[Property, Unit("W/m^3")] | None = Field(None, description="heat source q per volume")
    geometry: Annotated[Literal["cartesian", "axisymmetric"], FitsMesh] = Field(
        "cartesian", description="axisymmetric: x is the radius, y the axis, a 2-D mesh is the section"
    )


@register("physics", "heat", HeatParams)
class Heat:
    """One `Transport` equation for the temperature."""

    def __init__(self, params: HeatParams):
        self.equations = [
            conduction(params.material, params.source, Section(params.geometry), params.capacity == "lumped")
        ]

    @staticmethod
    def fields(params: HeatParams) -> Sequence[FieldSpec]:
        """Return the temperature."""
        return (TEMPERATURE,)


def conduction(
    material: Material, source: Property | None, section: Section, lumped: bool = False
) -> Transport:
    """Return the heat equation of a material; without density or specific heat it is steady only."""
    material.need("heat", "conductivity")
    assert material.conductivity is not None
    rho, c = material.density, material.specific_heat
    capacity = None if rho is None or c is None else Product(rho, c)
    equation = Transport(
        TEMPERATURE,
        Coefficients(material.conductivity, capacity=capacity, source=source),
        flux_field=FieldSpec("heat_flux", "W/m^2", "vector", "heat flux density -k∇T"),
        section=section,
        lumped=lumped and capacity is not None,
    )
    # without heat capacity the temperature follows its loads at once
    equation.time_order = 0 if capacity is None else 1
    equation.lacking = () if capacity else material.missing("density", "specific_heat")
    equation.boundary_terms = ("flux", "convection", "radiation", "contact")
    return equation


EXAMPLE: dict[str, Any] = {
    "material": {
        "density": "7850 kg/m^3",
        "specific_heat": "470 J/(kg K)",
        "conductivity": {"table": [["293 K", 50], ["973 K", 30]], "of": "temperature", "unit": "W/(m K)"},
    },
}


def manufactured() -> list[Manufactured]:
    """Return a smooth temperature with k(T)."""
    # between 1 and 3, so that k = 1 + 0.2 T stays positive
    plane = "2 + sin(2*x)*cos(1.5*y)"
    wave = {1: "2 + sin(2*x)", 2: plane, 3: "2 + sin(2*x)*cos(1.5*y)*exp(0.5*z)"}
    linear = {"density": 2, "specific_heat": "1 + 0.1*temperature", "conductivity": "1 + 0.2*temperature"}
    return [Manufactured("nonlinear", {"type": "heat", "material": linear}, {"temperature": wave})]
