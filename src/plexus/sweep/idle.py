"""Parameters that a sweep varies and the deck does not use: its members are all the same run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from plexus.deck.load import Deck, load
from plexus.deck.members import expand, place
from plexus.errors import DeckError

PARAMETERS = "parameters"
APART = (PARAMETERS, "sweep", "about")
"""Blocks in which the name of a parameter is no use of it."""


def idle(deck: Deck) -> list[str]:
    """Return one line for each varied parameter that nothing refers to, the place in the deck in front."""
    found = []
    for path, values in _varied(deck).items():
        if len(values) > 1 and not _used(deck, path, values[:2]):
            text = f"sweep: {path}: nothing in the deck uses it, all of its values give the same run"
            found.append(f"{mark}: {text}" if (mark := place(deck, path)) else text)
    return found


def _varied(deck: Deck) -> dict[str, list[Any]]:
    """Return the varied parameters with their different values."""
    found: dict[str, list[Any]] = {}
    for member in expand(deck):
        for path, value in member.values.items():
            if path.startswith(f"{PARAMETERS}.") and value not in (known := found.setdefault(path, [])):
                known.append(value)
    return found


def _used(deck: Deck, path: str, values: list[Any]) -> bool:
    """Return whether two values of a parameter make different decks, or an expression has its name."""
    try:
        one, other = (_data(deck, f"{path}={json.dumps(value)}") for value in values)
    except DeckError:
        # a value that is refused is used
        return True
    if any(one.get(key) != other.get(key) for key in {*one, *other}.difference(APART)):
        return True
    changed = {name for name, value in one[PARAMETERS].items() if other[PARAMETERS].get(name) != value}
    return bool(changed & {word for key in one if key not in APART for word in _words(one[key])})


def _data(deck: Deck, override: str) -> dict[str, Any]:
    return dict(load(deck.path, [*deck.overrides, override]).plain()["data"])


def _words(tree: Any) -> Iterator[str]:
    """Yield the names in all texts of a tree."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        for child in tree:
            yield from _words(child)
    elif isinstance(tree, str):
        yield from re.findall(r"[^\W\d]\w*", tree)
