"""What controllers share: the time that they march through, and words for a step that cannot be shortened.

All numbers are global, so that every rank takes the same decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from plexus.errors import PlexusError, SolveError

if TYPE_CHECKING:
    from plexus.deck.params import Params
    from plexus.deck.time import Time
    from plexus.stepping.clock import Clock

Limit = Callable[[], float]
"""The longest stable step of explicit methods at Courant number one [s]; collective where it is computed."""


def unlimited() -> float:
    """Return infinity: nothing but accuracy bounds the step."""
    return math.inf


class Steady:
    """Base of controllers without memory: every step is accepted, and a failed solve ends the run.

    Parameters
    ----------
    params : Params
        Parameters of the member.
    step : float
        First step, that of the deck [s].
    span : float
        Length of the whole march [s].
    """

    tolerance: float | None = None
    fixed = False
    limits: Mapping[str, float] = {}

    def __init__(self, params: Params, step: float, span: float):
        self.step, self.span = step, span
        self.rejected = 0

    @staticmethod
    def longest(params: Params, time: Time) -> float:
        """Return the longest step [s] that a march through ``time`` may take."""
        return time.step

    def propose(self, clock: Clock, target: float | None, limit: Limit = unlimited) -> float:
        """Return the step [s] to try from the clock's time, not passing ``target``."""
        return clock.fit(self.step, target)

    def accept(self, dt: float, error: float | None, order: int) -> bool:
        """Accept every step."""
        return True

    def failed(self, dt: float, failure: PlexusError) -> None:
        """Raise the failure: there is no shorter step to try."""
        raise failure

    def begin_anew(self) -> None:
        """Do nothing: the step is that of the deck."""
        return

    def state(self) -> dict[str, float]:
        """Return nothing: the deck holds the step."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Accept the empty state."""
        return


class Shortening(Steady):
    """Base of controllers that repeat a failed step with a shorter one, down to ``smallest`` [s]."""

    smallest: float

    def reduce(self, dt: float, factor: float, why: str) -> None:
        """Reject a step.

        Raises
        ------
        SolveError
            If it already was the smallest.
        """
        if dt <= self.smallest * (1 + 1e-9):
            raise SolveError(f"time step {dt:.3g} s is the smallest allowed, but {why}")
        self.rejected += 1
        self.step = max(dt * factor, self.smallest)
