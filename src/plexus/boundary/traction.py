"""Prescribed force per area on a boundary: σ n = t.

t has one entry per direction in N/m² and may depend on position, time and the fields. Adds f0 = -t.
Source: S. P. Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, section 11.
The load keeps its direction: small rotations are assumed.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit
from plexus.fields.arrays import stack
from plexus.formulation.entries import PerAxis, check_per_axis
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, Tangent
from plexus.registry import register


class TractionParams(TermParams):
    """Parameters of `Traction`."""

    value: Annotated[tuple[Annotated[Property, Unit("Pa")], ...], PerAxis] = Field(
        description="force per area, one entry per direction", min_length=1, max_length=3
    )


@register("boundary", "traction", TractionParams)
class Traction(Term):
    """The term -∫ t·v ds."""

    def flux(self, p: Point) -> Flux:
        """Return f0 = -t."""
        check_per_axis("boundary: traction", len(self.params.value), p.dim)
        return Flux(f0=-stack([component(p) for component in self.params.value]))

    def tangent(self, p: Point) -> Tangent:
        """Return zero: the load does not depend on the displacement."""
        return Tangent(symmetric=True)


EXAMPLE: dict[str, Any] = {"value": ["1 MPa", 0]}
