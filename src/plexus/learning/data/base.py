"""What members of kind ``data`` share: most know no grid and fit every deck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from plexus.protocols.training import Wrong

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.session import Session
    from plexus.runtime.context import Context


class DataBase:
    """Data of loose points that go with every deck."""

    offers: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, params: Any):
        self.params = params

    @staticmethod
    def problems(params: Any, deck: Deck) -> Wrong:
        """Yield nothing."""
        yield from ()

    @staticmethod
    def room(params: Any, unknowns: int) -> float:
        """Return nothing: the samples are small beside the rest."""
        return 0.0

    def space(self, deck: Deck, ctx: Context) -> Any:
        """Return no grid."""
        return None

    def case(self, group: int) -> dict[str, Any]:
        """Return the number of the group."""
        return {"group": group}

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return a domain without axes, and how many samples there are of how many points."""
        count = len(session.chosen())
        told = {"parameters": {}, "filter": "none", "frames": count, "points": count, "seeds": []}
        return {"domain": {"cells": [], "size": [], "unit": "m", "end_points": []}, "training": told}
