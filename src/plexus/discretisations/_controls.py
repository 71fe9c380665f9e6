"""The controls of a deck, on the mesh of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.spaces.controls import Controls

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.spaces.lagrange import Space


def controls_of(deck: Deck, space: Space) -> Controls:
    """Return the controls that expressions of the deck read, with their first values. Collective.

    ``space`` has the nodes of the unknowns.
    """
    return Controls()
