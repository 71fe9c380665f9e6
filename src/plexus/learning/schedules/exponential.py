"""A rate that falls by the same factor in every step: r = r₀ (r₁/r₀)^s at the share s of the steps."""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Params
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "exponential"}


class ExponentialParams(Params):
    """Parameters of `Exponential`: none."""


@register("schedule", "exponential", ExponentialParams)
class Exponential:
    """A geometric series from the first rate to the last."""

    def __init__(self, params: ExponentialParams):
        self.params = params

    def rate(self, share: float, first: float, last: float) -> float:
        """Return r at a share of the steps."""
        return first * (last / first) ** share
