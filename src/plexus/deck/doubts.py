"""What a valid deck says without effect, or hardly means: told by `plexus check` and by runs, with its place.

A deck without the block `time` is steady, whatever it says of a beginning; a schedule may never come due;
fixed steps may pass over a load that comes and goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck import places
from plexus.deck.cold import cold
from plexus.deck.controls import given_steps
from plexus.deck.discretisation import made_for
from plexus.deck.kinship import part_doubts, reduced_doubts
from plexus.deck.loads import changes, loads, of_time
from plexus.deck.passing import SHOWN, passed_over
from plexus.deck.schedules import ScheduleText
from plexus.protocols import Doubt

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

STEADY = "the deck has no block `time`, so the run is steady"


def doubts(deck: Deck) -> list[str]:
    """Return one line per doubt, the place in the deck in front.

    Raises
    ------
    InputError
        If an initial value has none at some place.
    """
    with deck.located():
        return [deck.placed(f"{path}: {text}") for path, text in _all(deck)]


def _all(deck: Deck) -> Iterator[Doubt]:
    if deck.train is not None and deck.time is None:
        return
    if not _marches(deck):
        yield from _steady(deck)
    else:
        yield from _schedules(deck)
        yield from _passed(deck)
        yield from _slowed(deck)
        yield from given_steps(deck)
    yield from cold(deck)
    yield from ((places.path(place), text) for place, text in (*part_doubts(deck), *reduced_doubts(deck)))
    yield from made_for(deck.physics.type).doubts(deck)


def _marches(deck: Deck) -> bool:
    """Return whether the run takes steps in time."""
    if deck.time is None:
        return False
    method: Any = registry.component("stepper", deck.time.stepper.type).cls
    return bool(method.marches)


def _steady(deck: Deck) -> Iterator[Doubt]:
    """Yield what only a march has a use for."""
    why = STEADY if deck.time is None else "the stepper `steady` solves once"
    for i, output in enumerate(deck.output):
        every = _every(output)
        if every is not None and every.kind in ("time", "times"):
            yield f"output[{i}].every", f"{why}: no time passes, only the one state is written"
    t = 0.0 if deck.time is None else deck.time.start
    for path, leaf in loads(deck):
        if of_time(leaf):
            yield path, f"{why}: t stays {t:g} s"


def _schedules(deck: Deck) -> Iterator[Doubt]:
    """Yield schedules that do not come due, or at some of their times do not."""
    for i, output in enumerate(deck.output):
        every = _every(output)
        text = None if every is None else _never(every, deck.time)
        if text:
            yield f"output[{i}].every", text


def _every(output: Any) -> ScheduleText | None:
    every = getattr(output, "every", None)
    return every if isinstance(every, ScheduleText) else None


def _never(every: ScheduleText, time: Any) -> str | None:
    """Return why a schedule does not come due between start and end."""
    span, value = time.end - time.start, every.value
    rest = "only the first state and the last are written"
    if isinstance(value, tuple):
        outside = [t for t in value if not time.start <= t <= time.end]
        if outside:
            span_text = f"between start {time.start:g} s and end {time.end:g} s"
            return f"{in_words(outside)} {_are(outside)} not {span_text}"
    elif every.kind == "time" and value > span * (1 + 1e-9):
        return f"{value:g} s is longer than the run of {span:g} s: {rest}"
    elif every.kind == "steps" and time.adaptive is None and time.controller is None:
        steps = round(span / time.step + 0.5 - 1e-9)
        if value > steps:
            return f"{value:g} steps are more than the run takes ({steps:,}): {rest}"
    return None


def _passed(deck: Deck) -> Iterator[Doubt]:
    """Yield loads that change within steps, and those whose times cannot be known."""
    found = changes(deck)
    control: Any = registry.component("controller", deck.time.control.type).cls  # type: ignore[union-attr]
    if control.fixed:
        yield from passed_over(deck, found)
        return
    for path, texts in found.unknown.items():
        what = " and ".join(texts[:SHOWN])
        yield path, f"{what}: adaptive steps may pass over it; `time.adaptive.max` bounds them"


def _slowed(deck: Deck) -> Iterator[Doubt]:
    """Yield a scheme that loses its order under loads which change in time."""
    stepper = deck.time.stepper  # type: ignore[union-attr]
    method: Any = registry.component("stepper", stepper.type).cls
    text = method.under_loads(stepper) if hasattr(method, "under_loads") else None
    place = next((path for path, leaf in loads(deck) if of_time(leaf)), None) if text else None
    if place is not None:
        yield "time.stepper.method", f"{text} ({place} changes in time)"


def in_words(times: Any) -> str:
    """Return some of the times with their unit."""
    shown = ", ".join(f"{t:.6g}" for t in times[:SHOWN])
    return f"{shown}{', ...' * (len(times) > SHOWN)} s"


def _are(items: Any) -> str:
    return "are" if len(items) > 1 else "is"
