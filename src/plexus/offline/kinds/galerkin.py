"""A basis with a cubature for solids with memory, which ``rom: {type: galerkin}`` marches with.

Source: F. Casenave, N. Akkari, F. Bordeu, C. Rey, D. Ryckelynck, Int. J. Numer. Methods Eng. 121 (2020) 32,
doi:10.1002/nme.6187.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.reduce import Reduce
from plexus.protocols import Balances
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context


@register("reduction", "galerkin", Reduce)
class Galerkin:
    """POD of displacements and empirical cubature."""

    needs = Balances
    resumes = True

    def __init__(self, params: Reduce):
        self.params = params

    def make(self, deck: Deck, ctx: Context, restart: str | None = None) -> tuple[Run, dict[str, Any], str]:
        """March, reduce and write; return the run, facts and a line about them. Collective."""
        from plexus.offline.main import reduce

        run, facts = reduce(deck, ctx, restart)
        if run.stop_reason:
            return run, {}, "the run has stopped before its end: there is no model yet"
        told = (
            f"{facts['modes']} modes, {len(facts['names'])} of {facts['points']:,} points "
            f"(integrals to {facts['error']:.2g})"
        )
        return run, {k: v for k, v in facts.items() if k not in ("names", "weights")}, told


EXAMPLE: dict[str, Any] = {"type": "galerkin", "tolerance": 1e-6, "cubature": 1e-5}
