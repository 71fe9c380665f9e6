"""The step of the deck, cut only to hit prescribed times; a failed solve ends the run."""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Params
from plexus.registry import register
from plexus.stepping.controllers.base import Steady

EXAMPLE: dict[str, Any] = {"type": "fixed"}


class FixedParams(Params):
    """The step stands in the block `time`."""


@register("controller", "fixed", FixedParams)
class Fixed(Steady):
    """Equal steps."""

    fixed = True
