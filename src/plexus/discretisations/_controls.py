"""The controls of a deck, on the mesh of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus import registry
from plexus.errors import at_path
from plexus.spaces.controls import Controls

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.spaces.lagrange import Space


def controls_of(deck: Deck, space: Space) -> Controls:
    """Return the controls that expressions of the deck read, with the values that they start from. Collective.

    ``space`` has the nodes of the unknowns.
    """
    members = {name: registry.build("control", params) for name, params in deck.controls.items()}
    found = Controls({name: member.place(space) for name, member in members.items()})
    for name, member in members.items():
        with at_path(f"controls.{name}"):
            found.put({name: member.begin(space)})
    return found
