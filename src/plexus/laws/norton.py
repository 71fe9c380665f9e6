"""Creep after Norton: dp/dt = r (J₂(s)/K)^N, without a yield stress and without hardening.

====== =============================================== ====
symbol meaning                                         unit
====== =============================================== ====
K      stress at which the rate is r                   Pa
N      exponent                                        1
r      that rate, 1/s where K is given in MPa s^(1/N)  1/s
====== =============================================== ====

Source: F. H. Norton, The Creep of Steel at High Temperatures, McGraw-Hill 1929. Integration:
`plexus.laws._flow`. Valid for secondary creep.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Field
from plexus.formulation.material import Material
from plexus.laws._mises import Mises, Viscosity
from plexus.registry import register


class NortonParams(Material):
    """Parameters of `Norton`, beside the elastic ones of the material."""

    viscosity: Viscosity = Field(description="drag and exponent")


@register("law", "norton", NortonParams)
class Norton(Mises):
    """Creep at any stress."""

    def __init__(self, params: NortonParams):
        super().__init__(params, viscosity=params.viscosity)


EXAMPLE: dict[str, Any] = {
    "young_modulus": "260 GPa",
    "poisson_ratio": 0.3,
    "viscosity": {"drag": "400 MPa", "exponent": 7},
}
