"""Local Lax-Friedrichs flux: the mean of both sides' fluxes, less s/2 of the jump.

    F = (f(u⁻) + f(u⁺))/2 - s (u⁺ - u⁻)/2,   s the larger of both sides' fastest waves

For one linear wave this is the upwind flux. V. V. Rusanov, USSR Comput. Math. Math. Phys. 1 (1962) 304-320,
doi:10.1016/0041-5553(62)90062-9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.deck.params import Params
from plexus.protocols import Conservation, GridPoint, Values
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "rusanov"}


class RusanovParams(Params):
    """The local Lax-Friedrichs flux has no parameters."""


@register("riemann", "rusanov", RusanovParams)
class Rusanov:
    """For every law that tells its fastest wave."""

    compiled: Mapping[str, int] = {"riemann": 0}

    def __init__(self, params: RusanovParams):
        pass

    def flux(self, law: Conservation, lower: Values, upper: Values, p: GridPoint, axis: int) -> Values:
        """Return the flux along an axis through faces with these values on both sides."""
        below, above = law.flux(lower, p, axis), law.flux(upper, p, axis)
        from plexus.spaces.stencils.choices import larger

        s = larger(law.speed(lower, p, axis), law.speed(upper, p, axis))
        return {k: 0.5 * (below[k] + above[k] - s * (upper[k] - lower[k])) for k in below}
