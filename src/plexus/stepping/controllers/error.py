"""Steps adapted to the stepper's estimate of its local error.

The stepper measures its local error relative to the tolerance, err = ‖e‖ / tolerance; a step is
accepted when err <= 1. The next step follows the proportional-integral law

    dt_new = dt · clip(safety · err_n^(-0.7/k) · err_(n-1)^(0.4/k)),   k = order + 1,

which damps the oscillations of the purely proportional law (Gustafsson, ACM TOMS 17 (1991) 533,
doi:10.1145/210232.210242). All numbers are global, so every rank takes the same decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.time import Adaptive, Time
from plexus.errors import PlexusError
from plexus.registry import register
from plexus.stepping.controllers.base import Limit, Shortening, unlimited

if TYPE_CHECKING:
    from plexus.stepping.clock import Clock

EXAMPLE: dict[str, Any] = {"type": "error", "tolerance": 1e-3}
SAFETY, SHRINK, GROW = 0.9, 0.2, 2.0
"""Share of the theoretically optimal step that is taken, and bounds on its change per step."""
RETRY, RECOVER = 0.25, 1.5
"""Factors on the step after a solve that did not converge, and after steps without error estimate."""


class ErrorParams(Adaptive):
    """Parameters of `Error`; `time.adaptive` is their short form."""


@register("controller", "error", ErrorParams)
class Error(Shortening):
    """Proportional-integral control; a rejection at the smallest step ends the run."""

    def __init__(self, params: ErrorParams, step: float, span: float):
        super().__init__(params, step, span)
        self.smallest, self.largest = params.min, params.max or span
        self.tolerance, self.limits = params.tolerance, params.limit
        self._given = step
        self.previous = 1.0

    @staticmethod
    def longest(params: Any, time: Time) -> float:
        """Return the largest step [s]."""
        return params.max or time.end - time.start

    def propose(self, clock: Clock, target: float | None, limit: Limit = unlimited) -> float:
        """Return the step [s] to try; two equal steps replace a step and a short remainder."""
        dt = clock.fit(self.step, target)
        # a full step and a tiny rest would make the error estimate and BDF2 see a large step ratio
        room = (clock.end if target is None else min(target, clock.end)) - clock.t
        return room / 2 if dt < room < 2 * dt else dt

    def accept(self, dt: float, error: float | None, order: int) -> bool:
        """Judge a step by its error and choose the next step.

        A stepper that has no estimate, or not yet (``error`` None), is accepted with the step of the deck.

        Raises
        ------
        SolveError
            If the error is too large at the smallest step.
        """
        if error is None:
            # back to the step of the deck, which a failed solve has shortened
            if self.step < self._given:
                self.step = min(RECOVER * dt, self._given)
            return True
        # an estimate of zero (a steady field) would divide by zero below
        k = order + 1
        error = max(error, 1e-10)
        # an error that is not a number is too large, too
        if not error <= 1:
            self.reduce(dt, max(SHRINK, SAFETY * error ** (-1 / k)), f"error estimate {error:.3g} > 1")
            return False
        factor = SAFETY * error ** (-0.7 / k) * self.previous ** (0.4 / k)
        chosen = dt * min(max(factor, SHRINK), GROW)
        if dt < self.step:  # cut by an output time: an accurate short step is no reason to stay short
            chosen = max(chosen, self.step)
        self.step = min(max(chosen, self.smallest), self.largest)
        self.previous = error
        return True

    def failed(self, dt: float, failure: PlexusError) -> None:
        """Shorten the step after a solve that did not converge."""
        self.reduce(dt, RETRY, str(failure))

    def begin_anew(self) -> None:
        """Go back to the step of the deck; without earlier states there is no estimate to choose one by."""
        self.step, self.previous = min(self.step, self._given), 1.0

    def state(self) -> dict[str, float]:
        """Return what a restart needs."""
        return {"step": self.step, "previous": self.previous, "rejected": self.rejected}

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned, within the limits of this deck."""
        self.step, self.previous = min(float(state["step"]), self.largest), float(state["previous"])
        self.rejected = int(state["rejected"])
