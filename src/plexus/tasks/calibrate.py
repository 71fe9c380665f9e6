"""`plexus calibrate`: fit the controls of a deck to measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


class Calibrate(Task):
    """The fit that the deck's block `calibrate` describes, and one run with what it finds."""

    name = "calibrate"
    tip = "fit the controls of a deck to measurements, as its block `calibrate` says"
    more = "Tells standard deviations and what the data leave open; writes calibration.h5 and fitted.yaml."

    def problem(self, deck: Deck) -> str | None:
        """Refuse a deck without the block."""
        if deck.calibrate is None:
            return "there is no block `calibrate`; `plexus explain calibrate` shows one"
        return "a sweep has many runs, and one is calibrated" if deck.sweep is not None else None

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """Fit, run and report; return the exit code. Collective."""
        from plexus.calibration.main import calibrate
        from plexus.deck.doubts import doubts
        from plexus.errors import InputError
        from plexus.tasks.run import finish

        why = self.problem(deck)
        if why:
            raise InputError(f"{deck.path}: {why}")
        ctx.timers.started()
        for doubt in doubts(deck):
            ctx.log.info(f"warning: {doubt}")
        run, facts = calibrate(deck, ctx, request.dry)
        run.dry = request.dry
        run.execute()
        return finish(run, {"calibration": facts})


TASK = Calibrate()
