"""One cycle: the rate rises from r₀ q to r₀ along half a cosine, then falls to r₁ along another.

    r = r₀ (q + (1 - q) (1 - cos πs/w)/2)        for s < w
    r = r₁ + (r₀ - r₁) (1 + cos π(s-w)/(1-w))/2  else

at the share s of the steps, with the share w of warming up and the start q. Source: L. Smith, N. Topin,
Proc. SPIE 11006 (2019) 1100612, doi:10.1117/12.2520589.
"""

from __future__ import annotations

import math
from typing import Any

from plexus.deck.params import Field, Params
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "one_cycle", "warmup": 0.3}


class OneCycleParams(Params):
    """Parameters of `OneCycle`."""

    warmup: float = Field(0.3, ge=0, lt=1, description="share w of the steps in which the rate rises")
    start: float = Field(0.04, gt=0, le=1, description="first rate over the largest, q")


@register("schedule", "one_cycle", OneCycleParams)
class OneCycle:
    """A rate that rises and falls once."""

    def __init__(self, params: OneCycleParams):
        self.params = params

    def rate(self, share: float, first: float, last: float) -> float:
        """Return r at a share of the steps."""
        warmup, start = self.params.warmup, self.params.start
        if share < warmup:
            return first * (start + (1 - start) * (1 - math.cos(math.pi * share / warmup)) / 2)
        left = (share - warmup) / (1 - warmup)
        return last + (first - last) * (1 + math.cos(math.pi * left)) / 2
