"""Thermo-elasticity, coupled one way: heat conduction first, then the stress that it causes.

    ρ c(T) T_t - ∇·(k(T) ∇T) = q,    -∇·σ(u, T) = b

Symbols and units as in ``physics.heat`` and ``physics.elasticity``, whose equations these are; E, ν and
the expansion are taken at the computed temperature. Source: B. A. Boley, J. H. Weiner, Theory of Thermal
Stresses, Wiley 1960, chapters 1 and 2. Valid where the heat made by straining is negligible and the
body moves slowly (no inertia).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from plexus.deck.params import Field, Property, Unit
from plexus.formulation.kinematics import Section
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.solid import DISPLACEMENT
from plexus.formulation.transport import CAPACITY
from plexus.physics.elasticity import Equilibrium, SolidParams
from plexus.physics.heat import TEMPERATURE, conduction
from plexus.protocols import FieldSpec
from plexus.registry import register


class ThermoelasticityParams(SolidParams):
    """Parameters of `Thermoelasticity`; the material holds thermal and elastic data."""

    capacity: Literal["consistent", "lumped"] = CAPACITY
    source: Annotated[Property, Unit("W/m^3")] | None = Field(None, description="heat source q per volume")


@register("physics", "thermoelasticity", ThermoelasticityParams)
class Thermoelasticity:
    """The heat equation and, after it, the equilibrium."""

    def __init__(self, params: ThermoelasticityParams):
        # in this order: the temperature does not see the displacement, E, ν and e_th see the temperature
        section = Section(params.geometry, params.thickness)
        heat = conduction(params.material, params.source, section, params.capacity == "lumped")
        self.equations = [heat, Equilibrium(params)]

    @staticmethod
    def fields(params: ThermoelasticityParams) -> Sequence[FieldSpec]:
        """Return temperature and displacement."""
        return (TEMPERATURE, DISPLACEMENT)


EXAMPLE: dict[str, Any] = {
    "geometry": "plane_strain",
    "material": {
        "conductivity": "20 W/(m K)",
        "young_modulus": "200 GPa",
        "poisson_ratio": 0.3,
        "expansion": {"coefficient": 12e-6},
    },
}


def manufactured() -> list[Manufactured]:
    """Return heat with k(T) and a displacement of a body whose E and expansion depend on T."""
    # every coefficient moves with T, so that a coupling left out shows as a lost order
    material = {
        "conductivity": "1 + 0.2*temperature",
        "young_modulus": "1 - 0.1*temperature",
        "poisson_ratio": 0.3,
        "expansion": {"coefficient": "0.1 + 0.02*temperature", "reference": 1.5, "data_reference": 1},
    }
    model = {"type": "thermoelasticity", "geometry": "plane_strain", "material": material}
    exact: dict[str, dict[int, Any]] = {
        "temperature": {2: "2 + sin(2*x)*cos(1.5*y)"},
        "displacement": {2: ["sin(2*x + 0.3)*cos(1.5*y)", "cos(x)*sin(2*y + 0.2)"]},
    }
    bar: dict[str, dict[int, Any]] = {
        "temperature": {1: "2 + sin(2*x)"}, "displacement": {1: ["sin(2*x + 0.3)"]},
    }  # fmt: skip
    return [
        Manufactured("plane_strain", model, exact),
        Manufactured("bar", {**model, "geometry": "bar"}, bar),
    ]
