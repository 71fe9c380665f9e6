"""`plexus campaign`: march the draws of a sweep through one reduced model."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from plexus.fileformat import SERIES
from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


class Campaign(Task):
    """The draws of `sweep: {mode: draws}`, many at once."""

    name = "campaign"
    tip = "march all draws of a deck's sweep through one reduced model"
    more = "Writes a table with a row per draw; `plexus-post plot` draws the distributions."
    memory = SERIES
    whole = True

    def options(self, parser: ArgumentParser) -> None:
        """Add restart in the same folder."""
        parser.add_argument(
            "--restart",
            action="store_const",
            const="latest",
            help="go on with the campaign in the run folder",
        )

    def problem(self, deck: Deck) -> str | None:
        """Refuse a deck without draws or a reduced model."""
        if deck.campaign is None:
            return "there is no block `campaign`; `plexus explain campaign` shows one"
        if deck.rom is None or deck.rom.type != "galerkin":
            return "a campaign needs `rom: {type: galerkin, file: …}`; `plexus reduce` makes the file"
        return None

    def restarting(self, choice: str | None) -> list[str]:
        """Return the bare flag: a campaign goes on in its own folder."""
        return ["--restart"] if choice else []

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """March, check and report; return the exit code. Collective."""
        from plexus.campaigns.main import campaign
        from plexus.errors import InputError

        why = self.problem(deck)
        if why:
            raise InputError(f"{deck.path}: {why}")
        ctx.timers.started()
        return campaign(deck, ctx, request.restart is not None)


TASK = Campaign()
