"""Temperatures that may be degrees Celsius: bare numbers, which are kelvin, from 5 to 150.

Told by `plexus check` and by runs; the unit written out says what is meant, and silences it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.params import Params, unit_of
from plexus.deck.places import Place, path
from plexus.protocols import Doubt

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

RANGE = 5.0, 150.0
"""From the cold of a winter to that of a cryostat [K]; zeros and ones stand in decks without dimensions."""


def cold(deck: Deck) -> Iterator[Doubt]:
    """Yield the deck path of each such temperature, and what to write instead."""
    data = deck.plain()["data"]
    for at in _places(deck):
        number = _given(data, at)
        if isinstance(number, (int, float)) and RANGE[0] <= number <= RANGE[1]:
            said = f"write '{number:g} degC' or '{number:g} K'"
            yield path(at), f"a bare {number:g} is {number - 273.15:.4g} degC; {said}"


def _places(deck: Deck) -> Iterator[Place]:
    """Yield the places of temperatures."""
    cls: Any = registry.component("physics", deck.physics.type).cls
    names = [spec.name for spec in cls.fields(deck.physics) if spec.unit == "K"]
    for i, condition in enumerate(deck.boundary):
        yield from (("boundary", i, name) for name in names if name in condition.values)
        for kind, params in condition.terms.items():
            yield from _of(params, ("boundary", i, kind))
    yield from (("initial", name) for name in names if name in deck.initial)
    yield from _of(deck.physics, ("physics",))


def _of(params: Params, at: Place) -> Iterator[Place]:
    """Yield the parameters of a block that are temperatures."""
    for name, info in type(params).model_fields.items():
        value = getattr(params, name)
        if isinstance(value, Params):
            yield from _of(value, (*at, name))
        elif unit_of(info) == "K":
            yield (*at, name)


def _given(data: Any, at: Place) -> Any:
    """Return what the deck says at a place; None where it says it in another form."""
    for part in at:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return None if isinstance(data, bool) else data
