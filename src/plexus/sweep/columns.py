"""Columns of a sweep's table: short names, units, and the numbers behind values such as ``2 mm``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plexus.deck.effective import to_data
from plexus.deck.members import Member
from plexus.deck.override import split
from plexus.deck.params import Params, unit_of
from plexus.deck.schema import Deck
from plexus.deck.units import UnitError, split_quantity
from plexus.deck.values import si_value


def columns(deck: Deck, members: Sequence[Member]) -> list[dict[str, Any]]:
    """Return one entry per varied path: path, short name, unit, and the number of each member.

    ``numbers`` is None where the values are no numbers. Values with a unit count in that unit when all of
    them have the same, else in SI units. A member of mode ``list`` may leave a path out and has the deck's.
    """
    own = to_data(deck)
    paths = list(dict.fromkeys(p for m in members for p in m.values))
    names = short_names(paths)
    found = []
    for path in paths:
        values = [m.values[path] if path in m.values else _value(own, path) for m in members]
        unit, numbers = _numbers(values, unit_of_path(deck, path))
        found.append({"path": path, "name": names[path], "unit": unit, "numbers": numbers})
    return found


def _value(tree: Any, path: str) -> Any:
    """Return the complete deck's value at a path; None if it has none."""
    for part in split(path):
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and part.isdecimal() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return path -> the shortest end of it that no other path has."""
    parts = {path: path.split(".") for path in paths}
    names = {}
    for path, own in parts.items():
        ends = (".".join(own[-n:]) for n in range(1, len(own) + 1))
        others = [p for p in paths if p != path]
        names[path] = next((e for e in ends if not any(o == e or o.endswith("." + e) for o in others)), path)
    return names


def _numbers(values: Sequence[Any], own: str) -> tuple[str, list[float | None] | None]:
    """Return unit and numbers of values; ``own`` is the unit that plain numbers have."""
    parts = [split_quantity(v) if isinstance(v, str) else None for v in values if v is not None]
    units = {part[1] if part else None for part in parts}
    if len(units) == 1 and None not in units:
        stated = iter(part[0] for part in parts if part)
        return str(units.pop()), [None if v is None else next(stated) for v in values]
    try:
        return own if None in units else "", [_si(v) for v in values]
    except UnitError:
        return "", None


def _si(value: Any) -> float | None:
    """Return a value as a number in SI units; raises UnitError if it is none."""
    if isinstance(value, str):
        return si_value(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise UnitError(f"{value!r} is no number")
    return value


def unit_of_path(deck: Deck, path: str) -> str:
    """Return the unit in which the deck takes a plain number at a path; empty if it has none."""
    here: Any = deck
    unit = ""
    for part in split(path):
        if isinstance(here, Params):
            info = type(here).model_fields.get(part)
            if info is None:
                return ""
            unit, here = unit_of(info), getattr(here, part)
        elif isinstance(here, (list, tuple)) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        elif isinstance(here, dict) and part in here:
            here = here[part]
        else:
            return ""
    return unit
