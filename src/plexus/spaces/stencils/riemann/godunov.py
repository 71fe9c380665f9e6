"""The exact flux between two constant states of one convex law.

    F = min f(u) over [u⁻, u⁺] where u⁻ <= u⁺, else max f(u) over [u⁺, u⁻]

A convex f has its largest values at the ends and its smallest one there or at the sonic state, where the wave
stands still. S. Osher, SIAM J. Numer. Anal. 21 (1984) 217-235, doi:10.1137/0721016.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Params
from plexus.protocols import Conservation, GridPoint, Values
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "godunov"}


class GodunovParams(Params):
    """Godunov's flux has no parameters."""


@register("riemann", "godunov", GodunovParams)
class Godunov:
    """For laws of one scalar with a convex flux."""

    def __init__(self, params: GodunovParams):
        pass

    def flux(self, law: Conservation, lower: Values, upper: Values, p: GridPoint, axis: int) -> Values:
        """Return the flux along an axis through faces with these values on both sides."""
        below, above = law.flux(lower, p, axis), law.flux(upper, p, axis)
        sonic = law.sonic(p, axis)
        if sonic:
            inside = {k: lower[k].maximum(sonic[k]).minimum(upper[k]) for k in below}
            between = law.flux(inside, p, axis)
        else:
            between = below
        return {
            k: below[k].minimum(above[k]).minimum(between[k]).where(
                lower[k] <= upper[k], below[k].maximum(above[k])
            )
            for k in below
        }  # fmt: skip
