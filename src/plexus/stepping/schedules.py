"""Schedules: when an observer acts. One notation everywhere in a deck, one object for all observers.

``10 steps`` (every tenth step), ``0.1 s`` (multiples of a physical interval, counted from the start
time), ``30 min wall`` (elapsed wall time), ``end``, or a list of times. The last state of a run is
always due, so that a result is complete whatever the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ulp
from typing import Any, Protocol

from plexus.deck.schedules import ScheduleText

ROUNDING = 1e-12
"""Relative distance below which two times count as the same instant."""


@dataclass(frozen=True)
class Moment:
    """The instant that a schedule judges: step, time [s], elapsed wall time [s], whether no step follows.

    ``wall`` must be the same number on all ranks (it comes out of the step's collective agreement).
    """

    step: int
    t: float
    wall: float = 0.0
    last: bool = False


class Schedule(Protocol):
    """Decides when to act; ``next_time`` lets the clock land on the instant exactly."""

    def due(self, now: Moment) -> bool:
        """Return whether the observer acts now; remembers that it did."""

    def next_time(self, t: float) -> float | None:
        """Return the first prescribed time after ``t`` [s], or None if time does not matter."""


class _Timeless:
    """Schedules that prescribe no times."""

    def next_time(self, t: float) -> float | None:
        """Return None: no time is prescribed."""
        return None


class Steps(_Timeless):
    """Every ``interval`` steps, step 0 included."""

    def __init__(self, interval: int):
        self.interval = interval

    def due(self, now: Moment) -> bool:
        """Return True at multiples of the interval and at the last state."""
        return now.last or now.step % self.interval == 0


class End(_Timeless):
    """Only at the last state."""

    def due(self, now: Moment) -> bool:
        """Return True at the last state."""
        return now.last


class Never(_Timeless):
    """What acts only when it is called for, e.g. when a run stops early."""

    def due(self, now: Moment) -> bool:
        """Return False."""
        return False


class Interval(_Timeless):
    """At ``start + k * interval`` for k = 0, 1, …; the clock lands on these times."""

    def __init__(self, interval: float, start: float = 0.0):
        self.interval, self.start = interval, start

    def due(self, now: Moment) -> bool:
        """Return True when the time is a multiple of the interval, up to rounding."""
        return now.last or self._at(now.t)[1]

    def next_time(self, t: float) -> float:
        """Return the next multiple; computed by multiplication, so errors do not add up."""
        k, there = self._at(t)
        # the nearest multiple may still lie ahead
        ahead = k if not there and self.start + k * self.interval > t else k + 1
        return self.start + ahead * self.interval

    def _at(self, t: float) -> tuple[int, bool]:
        """Return the number of the multiple nearest to ``t``, and whether ``t`` is that multiple."""
        k = round((t - self.start) / self.interval)
        multiple = self.start + k * self.interval
        # far from zero the distance of two times keeps the absolute rounding of both
        return k, same(multiple, t, self.start) or abs(multiple - t) <= 1e-9 * self.interval


class Times(_Timeless):
    """At listed times [s]."""

    def __init__(self, times: Sequence[float]):
        self.times = sorted(times)

    def due(self, now: Moment) -> bool:
        """Return True at a listed time and at the last state."""
        return now.last or any(same(t, now.t) for t in self.times)

    def next_time(self, t: float) -> float | None:
        """Return the first listed time after ``t``."""
        return next((s for s in self.times if s > t and not same(s, t)), None)


class Wall(_Timeless):
    """Whenever ``interval`` seconds of wall time have passed since the last action of this process.

    Wall time starts anew with every process, so a restart does not need the past.
    """

    def __init__(self, interval: float):
        self.interval = interval
        self.previous = 0.0

    def due(self, now: Moment) -> bool:
        """Return True when the interval has elapsed, and at the last state."""
        elapsed = now.wall - self.previous >= self.interval
        if elapsed:
            self.previous = now.wall
        return elapsed or now.last


def same(a: float, b: float, origin: float = 0.0) -> bool:
    """Return whether two times are one instant up to rounding, that of the time they count from included."""
    return abs(a - b) <= max(ROUNDING * max(abs(a), abs(b)), 4 * ulp(max(abs(a), abs(b), abs(origin))))


def make(text: ScheduleText, start: float = 0.0) -> Schedule:
    """Return the schedule of a deck value; ``start`` is the time from which intervals count [s]."""
    value: Any = text.value
    kinds: dict[str, Callable[[], Schedule]] = {
        "steps": lambda: Steps(int(value)),
        "time": lambda: Interval(value, start),
        "wall": lambda: Wall(value),
        "times": lambda: Times(value),
        "end": End,
    }
    return kinds[text.kind]()
