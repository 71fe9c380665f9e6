"""Times at which loads are sampled for their shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

SAMPLES = 48
"""Times that are spread over a run, beside its first steps."""
INSTANTS = 4
"""Times at which draws are looked at."""
GOLDEN = 0.6180339887498949


def sampled(deck: Deck) -> list[float]:
    """Return times that are spread over the run without a period, and the first steps [s]."""
    assert deck.time is not None
    start, span = deck.time.start, deck.time.end - deck.time.start
    spread = [start + span * ((k * GOLDEN) % 1.0) for k in range(1, SAMPLES)]
    return [
        *(start + k * deck.time.step for k in range(1, 9) if k * deck.time.step <= span),
        *spread,
        deck.time.end,
    ]


def few(deck: Deck) -> list[float]:
    """Return some of the sampled times, the end first [s]."""
    times = sampled(deck)
    return times[-1 : -len(times) : -(len(times) // INSTANTS)]
