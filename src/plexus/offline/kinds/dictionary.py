"""Reduced models of the runs of a sweep and a recommendation, which ``rom: {type: dictionary}`` marches with.

Runs are put into clusters by the angles between their fields; each cluster gets a basis and a cubature as
``galerkin`` makes them, and what recommends one of them reads the field of a load at few places. Source: T.
Daniel, F. Casenave, N. Akkari, D. Ryckelynck, Adv. Model. Simul. Eng. Sci. 7 (2020) 16,
doi:10.1186/s40323-020-00153-6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.dictionary import Dictionary as DictionaryParams
from plexus.protocols import Balances
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context


@register("reduction", "dictionary", DictionaryParams)
class Dictionary:
    """Clusters of training loads, a model of each, and a classifier of loads."""

    needs = Balances
    many = True
    """It is made of the runs of a sweep."""

    def __init__(self, params: DictionaryParams):
        self.params = params

    def make(self, deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any], str]:
        """March the sweep, reduce and write; return the last run, facts and lines about them. Collective."""
        from plexus.offline.dictionary import make, text

        run, facts = make(deck, ctx)
        return run, facts, text(facts)


EXAMPLE: dict[str, Any] = {"type": "dictionary", "modes": 12, "cubature": 1e-3, "clusters": 4, "at": "1 s"}
