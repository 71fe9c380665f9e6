"""Schedule texts: ``10 steps``, ``0.1 s``, ``30 min wall``, ``end``, or a list of times."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from plexus.deck.units import UnitError, quantity

WORDS = ("steps", "step", "wall", "end", "min", "day")
"""Words of schedules that a hint may offer; units have hints of their own."""


@dataclass(frozen=True)
class ScheduleText:
    """When something happens.

    ``value`` is the number of steps, the interval of simulated or wall time [s], the tuple of
    simulated times [s], or 0 for ``end`` (at the end of the run only).
    """

    kind: Literal["steps", "time", "wall", "times", "end"]
    value: float | tuple[float, ...] = 0.0

    def __str__(self) -> str:
        """Return the text as the deck would have it."""
        match self.kind:
            case "steps":
                return f"{int(self.value)} steps"  # type: ignore[arg-type]
            case "time":
                return f"{self.value!r} s"
            case "wall":
                return f"{self.value!r} s wall"
            case "times":
                return str(list(self.value))  # type: ignore[arg-type]
        return "end"


def parse_schedule(value: Any) -> ScheduleText:
    """Return the schedule of a deck value.

    Raises
    ------
    UnitError
        If the value is none of the forms above or not positive.
    """
    if isinstance(value, ScheduleText):
        return value
    if isinstance(value, dict) and set(value) == {"times"}:
        value = value["times"]
    if isinstance(value, list):
        times = tuple(quantity(str(v), "s") for v in value)
        if not times or any(b <= a for a, b in itertools.pairwise(times)):
            raise UnitError("the list of times must not be empty and must increase")
        return ScheduleText("times", times)
    text = str(value).strip()
    try:
        return _parse(text)
    except UnitError as error:
        raise UnitError(f"{error}{_hint(text)}") from None


def _hint(text: str) -> str:
    """Return what was meant if a word of the text is a misspelt one, else what a schedule looks like."""

    def nearest(match: re.Match[str]) -> str:
        return next(iter(get_close_matches(match[0], WORDS, n=1, cutoff=0.65)), match[0])

    meant = re.sub(r"[A-Za-z]{3,}", nearest, text[:80])
    with suppress(UnitError):
        if meant != text:
            _parse(meant)
            return f"; did you mean {meant!r}?"
    return "; a schedule is e.g. '10 steps', '0.1 s', '30 min wall', 'end'"


def _parse(text: str) -> ScheduleText:
    """Return the schedule of a text."""
    if text == "end":
        return ScheduleText("end")
    if match := re.fullmatch(r"(?:(\d{1,12})\s*)?steps?", text):
        return _positive(ScheduleText("steps", float(match[1] or 1)), text)
    if text.endswith(" wall"):
        return _positive(ScheduleText("wall", quantity(text[:-5], "s")), text)
    # A bare number could be steps or seconds; guessing would be wrong half of the time. The e of 1e3 is
    # no unit.
    if not re.search(r"[A-Za-z]", text.replace("e", "")):
        raise UnitError(f"{text!r}: say what is counted, e.g. '{text} steps' or '{text} s'")
    return _positive(ScheduleText("time", quantity(text, "s")), text)


def _positive(schedule: ScheduleText, text: str) -> ScheduleText:
    if not 0 < schedule.value < 1e300:  # type: ignore[operator]
        raise UnitError(f"{text!r}: a schedule needs a positive interval")
    return schedule
