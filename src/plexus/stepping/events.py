"""Times that steps must not pass: where loads change, and those that the deck names.

Where a load jumps at t_e, a step that ends there sees its value just before, and one that begins there its
value just after: a method looks at the ends of its steps, and the value at t_e itself belongs to neither
(E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 1993,
doi:10.1007/978-3-540-78862-1, section II.6).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from sys import float_info

from plexus.stepping.schedules import same

SIDE = 16 * float_info.epsilon
"""How far from a jump, relative to time and step, its sides are read; roots of comparisons are this exact."""


class Events:
    """Times at which a march shall arrive exactly.

    Parameters
    ----------
    hits : times that no step may pass [s].
    jumps : times at which loads jump [s]; those on which no step ends are left alone.
    kinks : other times at which formulas over several steps, and estimates by them, shall begin anew [s].
    """

    def __init__(self, hits: Iterable[float] = (), jumps: Iterable[float] = (), kinks: Iterable[float] = ()):
        self.hits, self.jumps, self.kinks = sorted(hits), sorted(jumps), sorted(kinks)

    def next_time(self, t: float) -> float | None:
        """Return the first time to be hit after ``t``."""
        here = bisect_left(self.hits, t)
        return next((hit for hit in self.hits[here:] if hit > t and not same(hit, t)), None)

    def jump(self, t: float) -> bool:
        """Return whether a load jumps at ``t``."""
        return _among(self.jumps, t)

    def anew(self, t: float) -> bool:
        """Return whether the past says nothing of what follows ``t``."""
        return self.jump(t) or _among(self.kinks, t)

    def inside(self, begin: float, dt: float) -> tuple[float, float]:
        """Return begin and length of the step as the method shall take it: beside the jumps at its ends."""
        if not self.jumps:
            return begin, dt
        end = begin + dt
        first = begin + SIDE * max(abs(begin), dt) if self.jump(begin) else begin
        last = end - SIDE * max(abs(end), dt) if self.jump(end) else end
        return (first, last - first) if (first, last) != (begin, end) else (begin, dt)


def _among(times: list[float], t: float) -> bool:
    """Return whether ``t`` is one of the rising times, up to rounding."""
    here = bisect_left(times, t)
    return bool(times) and any(same(time, t) for time in times[max(here - 1, 0) : here + 1])
