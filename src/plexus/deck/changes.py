"""How the plain data of two decks differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def changes(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield how two decks differ, as ``path: old -> new``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from changes(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from changes(a, b, f"{path}[{i}]")
    elif old != new:
        yield f"{path}: {_word(old)} -> {_word(new)}"


def _word(value: Any) -> str:
    return "(absent)" if value is None else str(value)
