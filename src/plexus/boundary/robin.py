"""Mixed condition of a scalar: k ∂u/∂n = b - a u.

a and b may depend on position, time and the fields; a >= 0 keeps the problem well posed. Adds
f0 = a u - b. Source: L. C. Evans, Partial Differential Equations, 2nd ed., AMS 2010, section 6.6.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, UnitOf
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, SideLaw, Tangent
from plexus.registry import register


class RobinParams(TermParams):
    """Parameters of `Robin`."""

    coefficient: Annotated[Property, UnitOf("flux/unknown", "robin")] = Field(
        description="factor a on the unknown"
    )
    value: Annotated[Property, UnitOf("flux", "robin")] = Field(0.0, description="right-hand side b")


@register("boundary", "robin", RobinParams)
class Robin(Term):
    """The term ∫ (a u - b) v ds."""

    def flux(self, p: Point) -> Flux:
        """Return f0 = a u - b."""
        return Flux(f0=self.params.coefficient(p) * p.u - self.params.value(p))

    def tangent(self, p: Point) -> Tangent:
        """Return c00 = a + a' u - b'."""
        a = self.params.coefficient
        c00 = a(p) + self.slope(a, p) * p.u - self.slope(self.params.value, p)
        if self.field.name in a.names:
            c00 = self.chord(p, c00)
        return Tangent(c00=c00, symmetric=True)

    def side(self) -> SideLaw:
        """Return the flux b - a u into a grid."""
        return SideLaw(self.params.value, self.params.coefficient)


EXAMPLE: dict[str, Any] = {"coefficient": 2.0, "value": "1 + x"}
