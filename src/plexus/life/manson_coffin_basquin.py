"""Life from the range of the strain: an elastic part after Basquin and a plastic one after Manson and Coffin.

    Δε/2 = (σ_f'/E) (2N)^b + ε_f' (2N)^c

====== ======================================================= ====
symbol meaning                                                 unit
====== ======================================================= ====
Δε     equivalent range of the strain without the thermal one  1
E      Young's modulus at the hottest instant, of the law      Pa
σ_f'   fatigue strength coefficient                            Pa
b      fatigue strength exponent                               1
ε_f'   fatigue ductility coefficient                           1
c      fatigue ductility exponent                              1
N      cycles to failure                                       1
====== ======================================================= ====

O. H. Basquin, Proc. ASTM 10 (1910) 625; S. S. Manson, NACA TN 2933 (1953); L. F. Coffin, Trans. ASME 76
(1954) 931. The range is that of `plexus.life._cycle`. Valid for stabilised cycles without mean stress, see
`smith_watson_topper` for those with one.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import model_validator

from plexus.deck.params import Field, Property, Unit, Within
from plexus.deck.values import refuse
from plexus.life._curves import Array, Curve, LifeParams, per_cycle, reversals
from plexus.protocols import Cycle
from plexus.registry import register


class MansonCoffinBasquinParams(LifeParams):
    """Parameters of `MansonCoffinBasquin`."""

    strength: Annotated[Property, Unit("Pa"), Within(ge=0)] = Field(
        description="fatigue strength coefficient σ_f'"
    )
    strength_exponent: float = Field(lt=0, description="fatigue strength exponent b")
    ductility: Annotated[Property, Unit("1"), Within(ge=0)] = Field(
        description="fatigue ductility coefficient ε_f'"
    )
    ductility_exponent: float = Field(lt=0, description="fatigue ductility exponent c")

    @model_validator(mode="after")
    def _ends(self) -> MansonCoffinBasquinParams:
        if self.strength.constant == 0 and self.ductility.constant == 0:
            raise refuse("strength and ductility are both 0: no strain would break anything")
        return self


@register("life", "manson_coffin_basquin", MansonCoffinBasquinParams)
class MansonCoffinBasquin(Curve):
    """The strain-life curve."""

    params: MansonCoffinBasquinParams

    def damage(self, cycle: Cycle) -> Array:
        """Return 1/N, (n,)."""
        p = self.params
        elastic = self.taken("strength", cycle) / cycle.stiffness
        return per_cycle(
            reversals(
                0.5 * cycle.strain_range, elastic, self.taken("ductility", cycle),
                p.strength_exponent, p.ductility_exponent,
            )
        )  # fmt: skip


EXAMPLE: dict[str, Any] = {
    "strength": "1000 MPa",
    "strength_exponent": -0.09,
    "ductility": 0.5,
    "ductility_exponent": -0.6,
}
