"""Expressions of a deck with their places: for messages of a run, and for what a check can try."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.deck.conditions import Condition
from plexus.deck.expressions import Expression
from plexus.deck.params import Params
from plexus.deck.property import Property

Place = tuple[str | int, ...]


def expressions(value: Any, at: Place = ()) -> Iterator[tuple[Place, Expression]]:
    """Yield every expression inside a block of the deck with its place."""
    match value:
        case Expression():
            yield at, value
        case Property():
            yield from expressions(value.expression, at)
            yield from expressions(value.regions, (*at, "regions"))
        case Condition():
            # fields and terms are keys of the condition itself
            yield from expressions(value.values, at)
            for value_along in value.normals.values():
                yield from expressions(value_along, (*at, "normal"))
            yield from expressions(value.terms, at)
        case Params():
            for name in type(value).model_fields:
                yield from expressions(getattr(value, name), (*at, name))
        case dict():
            for name, item in value.items():
                yield from expressions(item, (*at, str(name)))
        case list() | tuple():
            for number, item in enumerate(value):
                # a scalar is a tuple of one component, which the deck writes without brackets
                yield from expressions(item, at if len(value) == 1 and _is_field(at) else (*at, number))


def _is_field(at: Place) -> bool:
    """Return whether a place is that of prescribed or initial values."""
    return (at[:1] == ("boundary",) and len(at) == 3) or (at[:1] == ("initial",) and len(at) == 2)


def path(at: Place) -> str:
    """Return the deck path of a place: ``boundary[0].convection.ambient``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(".")


def lost_in_time(deck: Any) -> Iterator[tuple[Place, str]]:
    """Yield expressions of time alone that have no value at a step of the run, as far as steps are known."""
    if deck.time is None:
        return
    times = _times(deck.time)
    for at, expression in expressions(deck):
        if expression.names != {"t"} or not expression.risky or at[:1] in (("quantities",), ("mesh",)):
            continue
        values = ((t, expression({"t": t})) for t in times)
        bad = next(((t, v) for t, v in values if not abs(v) < float("inf")), None)
        if bad is not None:
            yield at, expression.lost(bad[1], {"t": bad[0]})


def _times(time: Any) -> list[float]:
    """Return the ends of at most a thousand of the steps, evenly chosen."""
    count = min(1000, max(1, round((time.end - time.start) / time.step)))
    return [time.start + (time.end - time.start) * (n + 1) / count for n in range(count)]
