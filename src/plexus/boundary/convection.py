"""Heat exchange with a fluid: k ∂T/∂n = h (T_a - T).

====== ======================================== =========
symbol meaning                                  unit
====== ======================================== =========
h      heat transfer coefficient, may vary with W/(m² K)
       position, time and T
T_a    temperature of the fluid                 K
====== ======================================== =========

Adds f0 = h (T - T_a). Source: Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959,
section 1.9. Valid where one coefficient describes the fluid's boundary layer.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, Tangent
from plexus.registry import register


class ConvectionParams(TermParams):
    """Parameters of `Convection`."""

    coefficient: Annotated[Property, Unit("W/(m^2 K)"), Within(ge=0)] = Field(
        description="heat transfer coefficient h"
    )
    ambient: Annotated[Property, Unit("K")] = Field(description="temperature of the fluid T_a")


@register("boundary", "convection", ConvectionParams)
class Convection(Term):
    """The term ∫ h (T - T_a) v ds."""

    def flux(self, p: Point) -> Flux:
        """Return f0 = h (T - T_a)."""
        return Flux(f0=self.params.coefficient(p) * (p.u - self.params.ambient(p)))

    def tangent(self, p: Point) -> Tangent:
        """Return c00 = h (1 - T_a') + h' (T - T_a)."""
        h, ambient = self.params.coefficient, self.params.ambient
        # product rule; both h and T_a may follow the temperature
        c00 = h(p) * (1.0 - self.slope(ambient, p))
        if self.field.name in h.names:
            c00 = self.chord(p, c00 + self.slope(h, p) * (p.u - ambient(p)))
        return Tangent(c00=c00, symmetric=True)


EXAMPLE: dict[str, Any] = {"coefficient": "500 W/(m^2 K)", "ambient": "600 K"}
