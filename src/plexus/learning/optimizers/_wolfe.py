"""A step length that fulfils the strong Wolfe conditions.

    f(t) <= f(0) + c₁ t f'(0),   |f'(t)| <= c₂ |f'(0)|,   c₁ = 1e-4, c₂ = 0.9

along a line on which f falls at first. Source: J. Nocedal, S. Wright, Numerical Optimization, 2nd ed.,
Springer 2006, algorithms 3.5 and 3.6, with the cubic (3.59) kept away from the ends of the bracket.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch

C1, C2 = 1e-4, 0.9
LONGEST, TRIALS = 1e10, 30
GROWTH, EDGE = 3.0, 0.1
"""Growth of the step while none is too long; share of a bracket that a trial stays away from its ends."""


class Trial(NamedTuple):
    """A place on the line: step length, value, slope, and the gradient there."""

    t: float
    value: float
    slope: float
    gradient: torch.Tensor


def search(at: Callable[[float], Trial], start: Trial, first: float) -> Trial:
    """Return a trial that fulfils the conditions, or the lowest that was found in `TRIALS` evaluations.

    Parameters
    ----------
    at :
        Evaluates the line at a step length.
    start :
        The line at 0, with a negative slope.
    first :
        First step length to try.
    """
    before, t = start, first
    for n in range(TRIALS):
        now = at(t)
        if _high(now, start) or (n and now.value >= before.value):
            return _zoom(at, start, before, now, TRIALS - n)
        if abs(now.slope) <= -C2 * start.slope:
            return now
        if now.slope >= 0:
            return _zoom(at, start, now, before, TRIALS - n)
        before, t = now, min(GROWTH * t, LONGEST)
    return before


def _high(now: Trial, start: Trial) -> bool:
    """Return whether a trial has not come down far enough; one that is no number has not."""
    return not now.value <= start.value + C1 * now.t * start.slope


def _zoom(at: Callable[[float], Trial], start: Trial, low: Trial, high: Trial, trials: int) -> Trial:
    """Return a trial between two, of which ``low`` is the lower and falls towards ``high``."""
    for _ in range(trials):
        now = at(_between(low, high))
        if _high(now, start) or now.value >= low.value:
            high = now
            continue
        if abs(now.slope) <= -C2 * start.slope:
            return now
        if now.slope * (high.t - low.t) >= 0:
            high = low
        low = now
    return low


def _between(low: Trial, high: Trial) -> float:
    """Return the minimum of the cubic through values and slopes of two trials, else their middle."""
    a, b = low.t, high.t
    d1 = low.slope + high.slope - 3 * (low.value - high.value) / (a - b) if a != b else math.nan
    root = d1 * d1 - low.slope * high.slope
    found = math.nan
    if root >= 0:
        d2 = math.copysign(math.sqrt(root), b - a)
        below = high.slope - low.slope + 2 * d2
        found = b - (b - a) * (high.slope + d2 - d1) / below if below else math.nan
    room = EDGE * abs(b - a)
    inside = min(a, b) + room <= found <= max(a, b) - room
    return found if inside else (a + b) / 2
