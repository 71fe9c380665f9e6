"""A rate that stays: r = r₀ at every step; the last rate is not looked at."""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Params
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "constant"}


class ConstantParams(Params):
    """Parameters of `Constant`: none."""


@register("schedule", "constant", ConstantParams)
class Constant:
    """The first rate throughout."""

    def __init__(self, params: ConstantParams):
        self.params = params

    def rate(self, share: float, first: float, last: float) -> float:
        """Return r at a share of the steps."""
        return first
