"""`plexus reduce`: make a reduced model of a deck's run."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


class Reduce(Task):
    """A run of the full model, and the reduced one that comes of it."""

    name = "reduce"
    tip = "march a deck and make a reduced model of it, as its block `reduce` says"
    more = "Writes rom.h5, which decks with `rom: {type: ..., file: ...}` march with."
    whole = True
    marches = False

    def options(self, parser: ArgumentParser) -> None:
        """Add the restart file."""
        from plexus.tasks.run import add_restart

        add_restart(parser)

    def problem(self, deck: Deck) -> str | None:
        """Refuse a deck without the block."""
        if deck.reduce is None:
            return "there is no block `reduce`; `plexus explain reduce` shows one"
        from plexus import registry

        many = getattr(registry.component("reduction", deck.reduce.type).cls, "many", False)
        if not many:
            one = deck.sweep is None or getattr(deck.reduce, "draws", None)
            return None if one else "a sweep has many runs, and one is reduced"
        if deck.sweep is None:
            return "reduce: a dictionary is made of many runs: give a block `sweep`"
        if deck.sweep.run != "run" or deck.sweep.ranks or deck.sweep.search:
            return "reduce: a dictionary takes a sweep of runs without ranks or search"
        if getattr(deck.reduce, "calibration", ()):
            return "reduce.calibration is of one model, and a dictionary has several"
        return None

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """March, reduce and report; return the exit code. Collective."""
        from plexus import registry
        from plexus.errors import InputError
        from plexus.tasks.run import finish

        why = self.problem(deck)
        if why:
            raise InputError(f"{deck.path}: {why}")
        assert deck.reduce is not None
        ctx.timers.started()
        maker = registry.build("reduction", deck.reduce)
        more = {}
        if request.restart is not None:
            if not getattr(maker, "resumes", False):
                raise InputError(f"reduce: {deck.reduce.type} is made in one go: leave --restart out")
            more = {"restart": request.restart}
        run, facts, told = maker.make(deck, ctx, **more)
        ctx.log.info(told)
        return finish(run, {"reduced": facts} if facts else None)


TASK = Reduce()
