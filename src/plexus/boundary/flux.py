"""Prescribed flux through a boundary, positive into the body: k ∂u/∂n = g.

g has the unit of the flux density (W/m² for heat) and may depend on position, time and the fields.
Adds f0 = -g. Source: H. S. Carslaw, J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959,
section 1.9. Boundaries without any condition have g = 0.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, UnitOf
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, SideLaw, Tangent
from plexus.registry import register


class FluxParams(TermParams):
    """Parameters of `PrescribedFlux`."""

    value: Annotated[Property, UnitOf("flux", "flux")] = Field(description="flux density g into the body")


@register("boundary", "flux", FluxParams)
class PrescribedFlux(Term):
    """The term -∫ g v ds."""

    def flux(self, p: Point) -> Flux:
        """Return f0 = -g."""
        return Flux(f0=-self.params.value(p))

    def tangent(self, p: Point) -> Tangent:
        """Return c00 = -g'."""
        slope = self.params.value.derivative(p, self.field.name)
        return Tangent(c00=None if slope is None else -slope, symmetric=True)

    def side(self) -> SideLaw:
        """Return the flux g into a grid."""
        return SideLaw(self.params.value)


EXAMPLE: dict[str, Any] = {"value": 1e4}
