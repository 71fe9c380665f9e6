"""Expressions of a deck with their places: for messages of a run, and for what a check can try."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Any

from plexus.deck.expressions import Expression
from plexus.deck.property import Property
from plexus.deck.walk import leaves

Place = tuple[str | int, ...]
_NAME = r"[A-Za-zµμΩ°Å%][\wµμΩ°Å]*"


def expressions(deck: Any) -> Iterator[tuple[str, Expression]]:
    """Yield every expression of a deck with its deck path."""
    for found, leaf in leaves(deck, ""):
        expression = leaf.expression if isinstance(leaf, Property) else leaf
        if expression is not None:
            yield found.lstrip("."), expression


def place(text: str) -> Place:
    """Return the parts of a deck path, numbers of list entries as integers."""
    return tuple(int(p[1:-1]) if p[0] == "[" else p for p in re.findall(r"\[\d+\]|[^.\[\]]+", text))


def path(at: Place) -> str:
    """Return the deck path of a place: ``boundary[0].convection.ambient``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(".")


def lost_in_time(deck: Any) -> Iterator[tuple[Place, str]]:
    """Yield expressions of time alone that have no value at a step of the run, as far as steps are known."""
    if deck.time is None:
        return
    times = _times(deck.time)
    for found, expression in expressions(deck):
        at = place(found)
        if expression.names != {"t"} or not expression.risky or at[0] in ("quantities", "mesh"):
            continue
        values = ((t, expression({"t": t})) for t in times)
        bad = next(((t, v) for t, v in values if not abs(v) < float("inf")), None)
        if bad is not None:
            yield at, expression.lost(bad[1], {"t": bad[0]})


def taken_for_units(deck: Any, fields: Collection[str]) -> Iterator[tuple[Place, str]]:
    """Yield units that have the name of a field and touch a number by ``*`` or ``/``: ``12 Hz*u``."""
    for found, expression in expressions(deck):
        at = place(found)
        for node in ast.walk(expression.tree) if at[0] != "mesh" else ():
            text = getattr(getattr(node, "quantity", None), "text", "")
            touching = re.findall(rf"[*/·]({_NAME})", re.sub(r"\(.*?\)", "", text))
            for name in sorted(set(touching) & {*fields}):
                yield (
                    at,
                    (
                        f"{text!r}: {name} is a unit here and also a field; for the field write spaces "
                        f"around the operator before it, for the unit put it in brackets"
                    ),
                )


def _times(time: Any) -> list[float]:
    """Return the ends of at most a thousand of the steps, evenly chosen."""
    count = min(1000, max(1, round((time.end - time.start) / time.step)))
    return [time.start + (time.end - time.start) * (n + 1) / count for n in range(count)]
