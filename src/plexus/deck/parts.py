"""Learned parts of a deck: every block whose parameters say ``learned``, by its deck path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.params import Params
from plexus.deck.suggest import nearest
from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.protocols import Gap

CONTROLS = "controls"
"""What a training calls its part that moves the numbers of controls."""


def learned(block: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield deck path and parameters of each learned part in a deck or one of its blocks.

    What stands inside a learned part, e.g. its fallback, is the part's own matter.
    """
    if isinstance(block, Params):
        if block.learned:
            yield path, block
            return
        items: Any = ((name, getattr(block, name)) for name in type(block).model_fields)
    elif isinstance(block, Mapping):
        items = block.items()
    else:
        return
    for name, value in items:
        yield from learned(value, f"{path}.{name}" if path else str(name))


def untrained(deck: Any) -> dict[str, Any]:
    """Return deck path and parameters of the learned parts that name no bundle."""
    return {path: params for path, params in learned(deck) if params.checkpoint is None}


def trained(deck: Any) -> tuple[str, Any]:
    """Return deck path and parameters of the part that a deck's block `train` is about.

    Raises
    ------
    InputError
        If there is none, or several and the block names none of them.
    """
    found, path = dict(learned(deck)), deck.train.part
    if not found:
        raise InputError(
            "a training needs a learned part, e.g. closure: {type: spin_network, moment: 3}, or "
            f"`part: {CONTROLS}`, the controls of the deck"
        )
    if path is None and len(found) > 1:
        raise InputError(f"part is missing: which of {', '.join(found)}?")
    chosen = path or next(iter(found))
    if chosen not in found:
        raise InputError(f"{chosen!r} is no learned part of this deck{nearest(chosen, found, 10)}")
    return chosen, found[chosen]


def component(params: Any) -> registry.Component:
    """Return the component that parameters in a slot belong to."""
    kinds = (kind for kind in registry.KINDS if params.type in registry.names(kind))
    found = (registry.component(kind, params.type) for kind in kinds)
    return next(member for member in found if member.params is type(params))


def gap(physics: Any) -> Gap | None:
    """Return what the model of a physics block leaves open, None for most."""
    cls: Any = registry.component("physics", physics.type).cls
    return cls.gap(physics) if leaves_open(physics.type) else None


def leaves_open(physics: str) -> bool:
    """Return whether models of this physics may leave something open."""
    return hasattr(registry.component("physics", physics).cls, "gap")
