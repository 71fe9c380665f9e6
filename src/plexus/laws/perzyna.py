"""Ideal viscoplasticity after Perzyna: dp/dt = γ ⟨J₂(s)/R₀ - 1⟩^N, without hardening.

====== ===================== ====
symbol meaning               unit
====== ===================== ====
R₀     yield stress          Pa
γ      fluidity              1/s
N      exponent              1
====== ===================== ====

Source: P. Perzyna, Adv. Appl. Mech. 9 (1966) 243, doi:10.1016/S0065-2156(08)70009-7. Integration:
`plexus.laws._flow`, with K = R₀ at the rate γ. Valid where overstress alone decides how fast the solid flows.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.material import Material
from plexus.laws._mises import Mises, Viscosity
from plexus.registry import register


class PerzynaParams(Material):
    """Parameters of `Perzyna`, beside the elastic ones of the material."""

    yield_stress: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="yield stress R₀")
    fluidity: Annotated[float, Unit("1/s")] = Field(gt=0, description="fluidity γ")
    exponent: Annotated[Property, Unit("1"), Within(ge=1)] = Field(description="exponent N")


@register("law", "perzyna", PerzynaParams)
class Perzyna(Mises):
    """Ideal viscoplasticity."""

    def __init__(self, params: PerzynaParams):
        strength = params.yield_stress
        flow = Viscosity.model_construct(drag=strength, exponent=params.exponent, rate=params.fluidity)
        super().__init__(params, strength, viscosity=flow)


EXAMPLE: dict[str, Any] = {
    "young_modulus": "210 GPa",
    "poisson_ratio": 0.3,
    "yield_stress": "250 MPa",
    "fluidity": "1e-3 1/s",
    "exponent": 5,
}
