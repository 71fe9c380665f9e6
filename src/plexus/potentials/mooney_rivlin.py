"""Mooney-Rivlin body whose volume can change.

    W = c₁₀ (I₁ J^(-2/3) - 3) + c₀₁ (I₂ J^(-4/3) - 3) + κ/4 (J² - 1 - 2 ln J)

====== ============================================ ====
symbol meaning                                      unit
====== ============================================ ====
c₁₀    first constant; with c₀₁ = 0 neo-Hookean     Pa
c₀₁    second constant                              Pa
κ      bulk modulus; the shear modulus is 2(c₁₀+c₀₁) Pa
====== ============================================ ====

Sources: M. Mooney, J. Appl. Phys. 11 (1940) 582-592, doi:10.1063/1.1712836; R. S. Rivlin, Phil. Trans. R.
Soc. A 241 (1948) 379-397, doi:10.1098/rsta.1948.0024. Valid for rubber up to stretches of about 2.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.fields.arrays import log
from plexus.formulation.material import Material
from plexus.potentials._invariants import Bends, Invariants, Isotropic, Slopes
from plexus.protocols import Array, Point
from plexus.registry import register


class MooneyRivlinParams(Material):
    """Parameters of `MooneyRivlin`."""

    c10: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="first constant c₁₀")
    c01: Annotated[Property, Unit("Pa"), Within(ge=0)] = Field(0.0, description="second constant c₀₁")
    bulk_modulus: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="bulk modulus κ")


@register("potential", "mooney_rivlin", MooneyRivlinParams)
class MooneyRivlin(Isotropic):
    """W of the module's head."""

    def __init__(self, params: MooneyRivlinParams):
        self.material = params

    def _data(self, p: Point) -> tuple[Array, Array, Array]:
        return self.material.c10(p), self.material.c01(p), self.material.bulk_modulus(p)

    def energy_of(self, p: Point, at: Invariants) -> Array:
        """Return W [Pa]."""
        (a, b, k), j = self._data(p), at.volume
        shape = a * (at.first * j ** (-2.0 / 3.0) - 3.0) + b * (at.second * j ** (-4.0 / 3.0) - 3.0)
        return shape + 0.25 * k * (j**2 - 1.0 - 2.0 * log(j))

    def slopes(self, p: Point, at: Invariants) -> Slopes:
        """Return the first derivatives of W."""
        (a, b, k), j = self._data(p), at.volume
        one, two = a * j ** (-2.0 / 3.0), b * j ** (-4.0 / 3.0)
        return one, two, 0.5 * k * (j - 1.0 / j) - (2.0 * one * at.first + 4.0 * two * at.second) / (3.0 * j)

    def bends(self, p: Point, at: Invariants) -> Bends:
        """Return the second derivatives of W."""
        (a, b, k), j = self._data(p), at.volume
        one, two = a * j ** (-2.0 / 3.0) / j, b * j ** (-4.0 / 3.0) / j
        along = 0.5 * k * (1.0 + 1.0 / j**2) + (10.0 * one * at.first + 28.0 * two * at.second) / (9.0 * j)
        return {(0, 2): -2.0 / 3.0 * one, (1, 2): -4.0 / 3.0 * two, (2, 2): along}


EXAMPLE: dict[str, Any] = {"c10": "0.3 MPa", "c01": "0.05 MPa", "bulk_modulus": "10 MPa"}
