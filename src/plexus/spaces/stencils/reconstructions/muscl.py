"""Piecewise linear values with limited slopes, order 2: u on a face is ū ± slope/2.

Steps that keep the means between their neighbours take at most half the Courant number one. B. van Leer,
J. Comput. Phys. 32 (1979) 101-136, doi:10.1016/0021-9991(79)90145-1.
"""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import Array
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "muscl", "limiter": "mc"}


class MusclParams(Params):
    """Parameters of `Muscl`."""

    limiter: Literal["minmod", "van_leer", "mc", "superbee"] = Field(
        "mc", description="what keeps slopes from making new extrema, from smooth to steep"
    )


@register("reconstruction", "muscl", MusclParams)
class Muscl:
    """Limited linear reconstruction."""

    order, width = 2, 2

    def __init__(self, params: MusclParams):
        self.limiter = params.limiter
        number = ("minmod", "van_leer", "mc", "superbee").index(params.limiter)
        self.compiled = {"values": 1, "limiter": number}

    def faces(self, u: Array, axis: int) -> tuple[Array, Array]:
        """Return the values on the lower and the upper side of each face."""
        from plexus.spaces.stencils.limiters import LIMITERS

        n = u.shape[axis]
        jump = u.diff(dim=axis)
        half = 0.5 * LIMITERS[self.limiter](jump.narrow(axis, 0, n - 2), jump.narrow(axis, 1, n - 2))
        cells = u.narrow(axis, 1, n - 2)
        lower, upper = cells + half, cells - half
        return lower.narrow(axis, 0, n - 3), upper.narrow(axis, 1, n - 3)
