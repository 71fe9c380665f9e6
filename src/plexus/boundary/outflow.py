"""Open side of a grid: waves leave with the value inside, and nothing diffuses through, ∂u/∂n = 0.

For models on cells only; elements leave a boundary without any condition open to diffusion as g = 0. Where
waves come in instead, they bring the value inside: a state further away is unknown. R. J. LeVeque, Finite
Volume Methods for Hyperbolic Problems (2002), section 7.2.1, doi:10.1017/CBO9780511791253.
"""

from __future__ import annotations

from typing import Any

from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, Point, SideLaw
from plexus.registry import register


class OutflowParams(TermParams):
    """An open side has no parameters."""


@register("boundary", "outflow", OutflowParams)
class Outflow(Term):
    """The condition ∂u/∂n = 0 in weak form: a boundary integral of zero."""

    def flux(self, p: Point) -> Flux:
        """Return no integrand."""
        return Flux()

    def side(self) -> SideLaw:
        """Return that the side is open."""
        return SideLaw(open=True)


EXAMPLE: dict[str, Any] = {}
