"""Thermal radiation to surroundings of one temperature: k ∂T/∂n = ε σ (T_a⁴ - T⁴).

====== ====================================== ============
symbol meaning                                unit
====== ====================================== ============
ε      emissivity of the grey surface         1
σ      Stefan-Boltzmann constant              W/(m² K⁴)
T_a    temperature of the surroundings        K (absolute)
====== ====================================== ============

Adds f0 = ε σ (T⁴ - T_a⁴). Source: Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford
1959, section 1.9; σ is exact in the SI of 2019 (CODATA 2018, doi:10.1103/RevModPhys.93.025010). Valid for
grey diffuse surfaces that see only the surroundings.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, Tangent
from plexus.registry import register

STEFAN_BOLTZMANN = 5.670374419e-8
"""2π⁵k⁴/(15h³c²) in W/(m² K⁴)."""


class RadiationParams(TermParams):
    """Parameters of `Radiation`."""

    emissivity: Annotated[Property, Unit("1"), Within(ge=0, le=1)] = Field(
        description="emissivity ε of the surface"
    )
    ambient: Annotated[Property, Unit("K"), Within(ge=0)] = Field(
        description="temperature T_a of the surroundings"
    )


@register("boundary", "radiation", RadiationParams)
class Radiation(Term):
    """The term ∫ ε σ (T⁴ - T_a⁴) v ds."""

    affine = False

    def flux(self, p: Point) -> Flux:
        """Return f0 = ε σ (T⁴ - T_a⁴)."""
        return Flux(f0=STEFAN_BOLTZMANN * self.params.emissivity(p) * self._excess(p))

    def tangent(self, p: Point) -> Tangent:
        """Return c00 = σ (4 ε (T³ - T_a³ T_a') + ε' (T⁴ - T_a⁴))."""
        emissivity, ambient = self.params.emissivity, self.params.ambient
        # (T⁴ - T_a⁴)' = 4 (T³ - T_a³ T_a')
        cube = p.u**3 - self.slope(ambient, p) * ambient(p) ** 3
        c00 = 4.0 * emissivity(p) * cube + self.slope(emissivity, p) * self._excess(p)
        return Tangent(c00=STEFAN_BOLTZMANN * c00, symmetric=True)

    def _excess(self, p: Point) -> Any:
        """Return T⁴ - T_a⁴."""
        return p.u**4 - self.params.ambient(p) ** 4


EXAMPLE: dict[str, Any] = {"emissivity": 0.8, "ambient": "293 K"}
