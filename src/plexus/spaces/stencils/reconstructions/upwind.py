"""Piecewise constant values, order 1: u on a face is the mean of the cell beside it.

Monotone with every monotone flux, and diffusive: for comparisons and rough starts. S. K. Godunov, Mat. Sb. 47
(1959) 271-306.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.deck.params import Params
from plexus.protocols import Array
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "upwind"}


class UpwindParams(Params):
    """Constant values have no parameters."""


@register("reconstruction", "upwind", UpwindParams)
class Upwind:
    """The means themselves."""

    order, width = 1, 1
    compiled: Mapping[str, int] = {"values": 0, "limiter": 0}

    def __init__(self, params: UpwindParams):
        pass

    def faces(self, u: Array, axis: int) -> tuple[Array, Array]:
        """Return the values on the lower and the upper side of each face."""
        n = u.shape[axis]
        return u.narrow(axis, 0, n - 1), u.narrow(axis, 1, n - 1)
