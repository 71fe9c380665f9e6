"""Physics whose constants are tensors in place of the deck's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.params import Moved, Params, Property

if TYPE_CHECKING:
    from torch import Tensor


def with_constants(params: Params, **constants: Any) -> Any:
    """Return the physics of a deck's block with tensors or numbers for some of its numbers and properties.

    Raises
    ------
    ValueError
        If the block has no such number.
    """
    for name in constants:
        if not isinstance(getattr(params, name, None), (int, float, Property)):
            raise ValueError(f"{params.type} has no number {name!r}")
    return registry.build("physics", params.model_copy(update=constants))


def moved(params: Params, scalars: Mapping[str, Tensor]) -> Params:
    """Return a block whose numbers that are expressions of controls have their values for these, 0-d."""
    found = {}
    for name in type(params).model_fields:
        value = getattr(params, name)
        now = _now(value, scalars)
        if now is not value:
            found[name] = now
    return params.model_copy(update=found) if found else params


def _now(value: Any, scalars: Mapping[str, Tensor]) -> Any:
    match value:
        case Moved():
            return value.expression(scalars)
        case Params():
            return moved(value, scalars)
        case tuple():
            parts = tuple(_now(part, scalars) for part in value)
            return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
    return value
