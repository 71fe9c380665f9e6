"""The exact flux between two constant states of one law, convex or concave.

    F = max( f(max(u⁻, s)), f(min(u⁺, s)) ),   f'(s) = 0,   for convex laws
    F = min( f(min(u⁻, s)), f(max(u⁺, s)) )                 for concave ones
    F = f(u⁻) or f(u⁺), whichever is upwind, for linear laws

s is the sonic state, whose wave stands still. S. Osher, SIAM J. Numer. Anal. 21 (1984) 217-235,
doi:10.1137/0721016; R. J. LeVeque, Finite Volume Methods for Hyperbolic Problems (2002), section 12.2,
doi:10.1017/CBO9780511791253.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.deck.params import Params
from plexus.protocols import Conservation, GridPoint, Values
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "godunov"}


class GodunovParams(Params):
    """Godunov's flux has no parameters."""


@register("riemann", "godunov", GodunovParams)
class Godunov:
    """For laws of one scalar whose waves stand still in one state at most."""

    compiled: Mapping[str, int] = {"riemann": 1}

    def __init__(self, params: GodunovParams):
        pass

    def flux(self, law: Conservation, lower: Values, upper: Values, p: GridPoint, axis: int) -> Values:
        """Return the flux along an axis through faces with these values on both sides."""
        sonic = law.sonic(p, axis)
        if sonic:
            # speeds grow with the state where the law is convex; beyond the sonic one they are positive
            convex = law.speed({k: s + 1 for k, s in sonic.items()}, p, axis) > 0
            down = {k: u.maximum(sonic[k]).where(convex, u.minimum(sonic[k])) for k, u in lower.items()}
            up = {k: u.minimum(sonic[k]).where(convex, u.maximum(sonic[k])) for k, u in upper.items()}
            f, g = law.flux(down, p, axis), law.flux(up, p, axis)
            return {k: f[k].maximum(g[k]).where(convex, f[k].minimum(g[k])) for k in f}
        below, above = law.flux(lower, p, axis), law.flux(upper, p, axis)
        forward = law.speed(lower, p, axis) >= 0
        return {k: below[k].where(forward, above[k]) for k in below}
