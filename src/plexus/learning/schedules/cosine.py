"""A rate that falls along half a cosine: r = r₁ + (r₀ - r₁) (1 + cos πs)/2 at the share s of the steps.

Source: I. Loshchilov, F. Hutter, ICLR 2017, doi:10.48550/arXiv.1608.03983 (without restarts).
"""

from __future__ import annotations

import math
from typing import Any

from plexus.deck.params import Params
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "cosine"}


class CosineParams(Params):
    """Parameters of `Cosine`: none."""


@register("schedule", "cosine", CosineParams)
class Cosine:
    """Half a cosine from the first rate to the last."""

    def __init__(self, params: CosineParams):
        self.params = params

    def rate(self, share: float, first: float, last: float) -> float:
        """Return r at a share of the steps."""
        return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
