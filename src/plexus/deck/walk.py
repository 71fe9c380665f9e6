"""Every expression and property of a deck's block with its deck path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.deck.conditions import Condition
from plexus.deck.expressions import Expression
from plexus.deck.params import Params, Property

Leaf = Expression | Property


def leaves(value: Any, path: str) -> Iterator[tuple[str, Leaf]]:
    """Yield the expressions, and the properties without regions, inside a block or list of blocks."""
    match value:
        case Expression():
            yield path, value
        case Property():
            if not value.regions:
                yield path, value
            for name, part in value.regions.items():
                yield from leaves(part, f"{path}.regions.{name}")
        case Condition():
            # fields and terms are keys of the condition itself
            for block in (value.values, value.normals, value.terms):
                yield from leaves(block, path)
        case Params():
            for name in type(value).model_fields:
                yield from leaves(getattr(value, name), f"{path}.{name}")
        case dict():
            for name, item in value.items():
                yield from leaves(item, f"{path}.{name}")
        case tuple() | list():
            single = len(value) == 1 or len(set(map(id, value))) == 1
            for number, item in enumerate(
                value[:1] if single and isinstance(value[0], Expression) else value
            ):
                inner = path if single and isinstance(item, Expression) else f"{path}[{number}]"
                yield from leaves(item, inner)
