"""Numbers that depend on time alone, computed for several coming steps at once.

A reduced step costs so little that evaluating an expression would take longer than it; for sixteen times it
costs hardly more than for one. Coming times are guessed to be equally spaced. Where steps go otherwise the
next guess is one step long, and its length doubles as long as guesses hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray
Evaluate = Callable[[Array], Sequence[Array]]
"""Times (T,) -> arrays (T, …). Collective or not, as the caller likes; all ranks are asked for the same."""
MOST = 16
"""Times that are computed at once at most."""
SAME = 1e-13
"""Times that differ by less, relative to their size, are one."""


class Ahead:
    """Looks ahead in time.

    Parameters
    ----------
    evaluate : callable
        What is computed.
    end : float
        Latest time that is asked for [s].
    most : int
        Times at once at most; 1 where ``evaluate`` does not take several.
    """

    def __init__(self, evaluate: Evaluate, end: float, most: int = MOST):
        self.evaluate, self.end, self.most = evaluate, end, most
        self._times: list[float] = []
        self._rows: Sequence[Array] = ()
        self._place = 0

    def at(self, t: float, dt: float) -> list[Array]:
        """Return the numbers at a time that a step of ``dt`` leads to."""
        if not self._next(t):
            # twice as far where the last guess held to its end
            held = bool(self._times) and self._place == len(self._times) - 1
            count = (
                min(2 * len(self._times), self.most) if held and self._near(t, self._times[-1] + dt) else 1
            )
            times = t + dt * np.arange(count)
            times = times[: max(1, int((times <= self.end + SAME * abs(self.end)).sum()))]
            self._rows = self.evaluate(times)
            self._times, self._place = times.tolist(), 0
        return [rows[self._place] for rows in self._rows]

    def _next(self, t: float) -> bool:
        """Turn to a time if it is the present one or the one after that."""
        for place in range(self._place, min(self._place + 2, len(self._times))):
            if self._near(t, self._times[place]):
                self._place = place
                return True
        return False

    @staticmethod
    def _near(a: float, b: float) -> bool:
        return abs(a - b) <= SAME * max(abs(a), abs(b))
