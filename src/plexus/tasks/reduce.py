"""`plexus reduce`: make a reduced model of a deck's run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


class Reduce(Task):
    """A run of the full model, and the basis and cubature that come of it."""

    name = "reduce"
    tip = "march a deck and make a reduced model of it, as its block `reduce` says"
    more = (
        "Writes rom.h5, which decks with `rom: {type: galerkin, file: ...}` march with; with a sweep and\n"
        "`reduce.dictionary` a dictionary.json, for `rom: {type: dictionary, file: ...}`."
    )

    def problem(self, deck: Deck) -> str | None:
        """Refuse a deck without the block."""
        if deck.reduce is None:
            return "there is no block `reduce`; `plexus explain reduce` shows one"
        if deck.reduce.dictionary is None:
            return "a sweep has many runs, and one is reduced" if deck.sweep is not None else None
        if deck.sweep is None:
            return "reduce.dictionary is made of many runs: give a block `sweep`"
        if deck.sweep.run != "run" or deck.sweep.ranks or deck.sweep.search:
            return "reduce.dictionary takes a sweep of runs without ranks or search"
        return None

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """March, reduce and report; return the exit code. Collective."""
        from plexus.errors import InputError
        from plexus.tasks.run import finish

        why = self.problem(deck)
        if why:
            raise InputError(f"{deck.path}: {why}")
        ctx.timers.started()
        assert deck.reduce is not None
        if deck.reduce.dictionary is not None:
            from plexus.offline.dictionary import make

            run, facts = make(deck, ctx)
            return finish(run, {"dictionary": facts})
        from plexus.offline.main import reduce

        run, facts = reduce(deck, ctx)
        told = {k: v for k, v in facts.items() if k not in ("names", "weights")}
        ctx.log.info(
            f"{facts['modes']} modes, {len(facts['names'])} of {facts['points']:,} points "
            f"(integrals to {facts['error']:.2g})"
        )
        return finish(run, {"reduced": told})


TASK = Reduce()
