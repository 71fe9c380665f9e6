"""Unified viscoplasticity after Chaboche: flow from an overstress, isotropic and kinematic hardening.

    dp/dt = r ⟨(J₂(s - X) - R)/K⟩^N,    X = Σ 2/3 C_i a_i,    da_i = dε_p - D_i a_i dp

Symbols as in `plexus.laws.j2` and `plexus.laws.norton`. Source: J. Lemaitre, J.-L. Chaboche, Mechanics of
Solid Materials, Cambridge University Press 1990, section 6.4; J.-L. Chaboche, Int. J. Plast. 5 (1989) 247,
doi:10.1016/0749-6419(89)90015-6. Integration: `plexus.laws._flow`. Valid for metals under cyclic loads at
small strain.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.material import Material
from plexus.laws._mises import BackStress, Hardening, Mises, Viscosity
from plexus.registry import register


class ChabocheParams(Material):
    """Parameters of `Chaboche`, beside the elastic ones of the material."""

    yield_stress: Annotated[Property, Unit("Pa"), Within(ge=0)] = Field(description="yield stress R₀")
    hardening: Hardening | None = Field(None, description="isotropic hardening; absent: none")
    back_stresses: tuple[BackStress, ...] = Field(min_length=1, description="kinematic hardening")
    viscosity: Viscosity = Field(description="drag and exponent of the overstress")


@register("law", "chaboche", ChabocheParams)
class Chaboche(Mises):
    """Cyclic viscoplasticity."""

    def __init__(self, params: ChabocheParams):
        super().__init__(
            params, params.yield_stress, params.hardening, params.back_stresses, params.viscosity
        )


EXAMPLE: dict[str, Any] = {
    "young_modulus": "200 GPa",
    "poisson_ratio": 0.3,
    "yield_stress": "10 MPa",
    "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
    "viscosity": {"drag": "300 MPa", "exponent": 30},
}
