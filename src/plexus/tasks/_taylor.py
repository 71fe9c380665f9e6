"""`plexus check --taylor`: derivatives beside differences; no command of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


class Taylor(Task):
    """The table of remainders."""

    name = "_taylor"
    tip = "compare derivatives with differences"

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """Print the table and return the exit code. Collective."""
        from plexus.calibration.taylor import check

        check(deck, ctx)
        return 0


TASK = Taylor()
