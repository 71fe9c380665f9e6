"""Every expression and property of a deck's block with its deck path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.deck.conditions import Condition
from plexus.deck.expressions import Expression
from plexus.deck.params import Moved, Params, Property

Leaf = Expression | Property


def leaves(value: Any, path: str) -> Iterator[tuple[str, Leaf]]:
    """Yield the expressions, and the properties without regions, inside a block or list of blocks."""
    return ((at, leaf) for at, leaf in everything(value, path) if not getattr(leaf, "regions", None))


def properties(value: Any, path: str) -> Iterator[tuple[str, Property]]:
    """Yield the properties inside a block or list of blocks, and those of their regions behind them."""
    return ((at, leaf) for at, leaf in everything(value, path) if isinstance(leaf, Property))


def everything(value: Any, path: str) -> Iterator[tuple[str, Leaf]]:
    """Yield the expressions and properties inside a block or list of blocks, a whole before its regions."""
    match value:
        case Expression():
            yield path, value
        case Moved():
            yield path, value.expression
        case Property():
            yield path, value
            for name, part in value.regions.items():
                yield from everything(part, f"{path}.regions.{name}")
        case Condition():
            # fields and terms are keys of the condition itself
            for block in (value.values, value.normals, value.terms):
                yield from everything(block, path)
        case Params():
            for name in type(value).model_fields:
                yield from everything(getattr(value, name), f"{path}.{name}")
        case dict():
            for name, item in value.items():
                yield from everything(item, f"{path}.{name}")
        case tuple() | list():
            if len(set(map(id, value))) == 1 and isinstance(value[0], Expression):
                # the deck states one for all components
                yield path, value[0]
                return
            for number, item in enumerate(value):
                yield from everything(item, f"{path}[{number}]")
