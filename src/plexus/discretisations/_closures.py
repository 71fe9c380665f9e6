"""What stands for the parts that a deck's model does not carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus import registry

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Closure


def closures_of(deck: Deck) -> dict[str, Closure]:
    """Return the closures that a deck names, by deck path; not prepared yet."""
    return {"closure": registry.build("closure", deck.closure)} if deck.closure else {}
