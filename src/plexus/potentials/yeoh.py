"""Rubber that stiffens as it is stretched, after Yeoh.

    W = Σ_k c_k (Ī₁ - 3)^k + κ/2 (J - 1)²,    k = 1, 2, 3,    Ī₁ = I₁ J^(-2/3)

====== =============================== ====
symbol meaning                         unit
====== =============================== ====
c₁     half the shear modulus at rest  Pa
c₂, c₃ how the shear modulus changes   Pa
κ      bulk modulus                    Pa
====== =============================== ====

Source: O. H. Yeoh, Rubber Chem. Technol. 66 (1993) 754-771, doi:10.5254/1.3538343; its volume is constant.
Valid for filled rubber under large stretch; polyconvex unless c₂ or c₃ is negative. Its resistance to being
squeezed to nothing is finite.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.material import Material
from plexus.potentials._invariants import Bends, Invariants, Isotropic, Slopes
from plexus.protocols import Array, Point
from plexus.registry import register


class YeohParams(Material):
    """Parameters of `Yeoh`."""

    c1: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="first constant c₁")
    c2: Annotated[Property, Unit("Pa")] = Field(0.0, description="second constant c₂")
    c3: Annotated[Property, Unit("Pa")] = Field(0.0, description="third constant c₃")
    bulk_modulus: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="bulk modulus κ")


@register("potential", "yeoh", YeohParams)
class Yeoh(Isotropic):
    """W of the module's head."""

    def __init__(self, params: YeohParams):
        self.material = params

    def _shape(self, p: Point, at: Invariants) -> tuple[Array, Array, Array]:
        """Return Σ c_k y^k and its first two derivatives in y = Ī₁ - 3."""
        m, y = self.material, at.first * at.volume ** (-2.0 / 3.0) - 3.0
        one, two, three = m.c1(p), m.c2(p), m.c3(p)
        whole = y * (one + y * (two + y * three))
        return whole, one + y * (2.0 * two + 3.0 * y * three), 2.0 * two + 6.0 * y * three

    def energy_of(self, p: Point, at: Invariants) -> Array:
        """Return W [Pa]."""
        return self._shape(p, at)[0] + 0.5 * self.material.bulk_modulus(p) * (at.volume - 1.0) ** 2

    def slopes(self, p: Point, at: Invariants) -> Slopes:
        """Return the first derivatives of W."""
        j, k = at.volume, self.material.bulk_modulus(p)
        slope = self._shape(p, at)[1] * j ** (-2.0 / 3.0)
        return slope, 0.0 * j, k * (j - 1.0) - 2.0 / 3.0 * slope * at.first / j

    def bends(self, p: Point, at: Invariants) -> Bends:
        """Return the second derivatives of W."""
        j, i1, k = at.volume, at.first, self.material.bulk_modulus(p)
        _, slope, bend = self._shape(p, at)
        # ∂Ī₁ by I₁ and by J
        one, along = j ** (-2.0 / 3.0), -2.0 / 3.0 * i1 * j ** (-5.0 / 3.0)
        return {
            (0, 0): bend * one**2,
            (0, 2): bend * one * along - 2.0 / 3.0 * slope * one / j,
            (2, 2): bend * along**2 + 10.0 / 9.0 * slope * i1 * j ** (-8.0 / 3.0) + k,
        }


EXAMPLE: dict[str, Any] = {"c1": "0.3 MPa", "c2": "0.02 MPa", "c3": "0.002 MPa", "bulk_modulus": "10 MPa"}
