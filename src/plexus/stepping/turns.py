"""Cycles of a run by their numbers; which are looked at: every so many of them, or the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.deck.tables import period_of
from plexus.stepping.schedules import Moment

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

ROUNDING = 1e-9
"""Part of a period within which a time is that of its end."""


class Turns:
    """The schedule of cycles 1, 2, … of a period that follow each other from the start time.

    Parameters
    ----------
    start, period : float
        Start time and length of a cycle [s].
    total : int
        Number of whole cycles of the run.
    every : int
        Numbers that are multiples of this are looked at.
    last : int, optional
        Only so many of the last ones are.
    """

    def __init__(self, start: float, period: float, total: int, every: int, last: int | None):
        self.start, self.period, self.total, self.every, self.last = start, period, total, every, last

    def wanted(self, cycle: int) -> bool:
        """Return whether a cycle is looked at."""
        recent = self.last is None or cycle > self.total - self.last
        return 1 <= cycle <= self.total and recent and cycle % self.every == 0

    def at(self, t: float) -> tuple[int, bool]:
        """Return how many cycles have begun before a time, and whether one ends there.

        At an end the number is that of the cycle that ends, 0 at the start.
        """
        turns = (t - self.start) / self.period
        nearest = round(turns)
        ends = abs(turns - nearest) <= ROUNDING * max(1.0, abs(turns))
        return (nearest, True) if ends else (int(turns) + 1, False)

    def due(self, now: Moment) -> bool:
        """Return whether the instant belongs to a cycle that is looked at, its ends included."""
        cycle, ends = self.at(now.t)
        return self.wanted(cycle) or (ends and self.wanted(cycle + 1))

    def next_time(self, t: float) -> float | None:
        """Return the next end of a cycle, None behind the last one."""
        cycle, ends = self.at(t)
        following = cycle + 1 if ends else cycle
        return None if following > self.total else self.start + following * self.period


def turns_of(deck: Deck, every: int = 1, last: int | None = None) -> Turns:
    """Return which cycles of a deck with a period are looked at, by default all."""
    time, period = deck.time, period_of(deck.tables)
    assert time is not None and period is not None, "a deck without a period has no cycles"
    return Turns(time.start, period, int((time.end - time.start) / period + 1e-9), every, last)
