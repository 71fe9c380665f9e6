"""Pressure on a boundary: σ n = -p n.

p is positive when it pushes on the body [Pa]; n is the outward normal of the undeformed boundary.
Adds f0 = p n. Source: S. P. Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill
1970, section 28. The load keeps its direction: small rotations are assumed.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, Tangent
from plexus.registry import register


class PressureParams(TermParams):
    """Parameters of `Pressure`."""

    value: Annotated[Property, Unit("Pa")] = Field(description="pressure p, positive towards the body")


@register("boundary", "pressure", PressureParams)
class Pressure(Term):
    """The term ∫ p n·v ds."""

    def flux(self, p: Point) -> Flux:
        """Return f0 = p n."""
        return Flux(f0=self.params.value(p)[..., None] * p.normal)

    def tangent(self, p: Point) -> Tangent:
        """Return zero: the load does not depend on the displacement."""
        return Tangent(symmetric=True)


EXAMPLE: dict[str, Any] = {"value": "60 MPa"}
