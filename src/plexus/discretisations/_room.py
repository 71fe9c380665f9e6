"""Whether a model whose arrays are tensors has room on this machine, before the first of them is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Outlook
    from plexus.runtime.context import Context

SURE = 0.5
"""Share of the estimated memory that a run certainly needs."""


def require(found: Outlook, deck: Deck, ctx: Context) -> None:
    """Refuse sizes that cannot be held: a system that runs out of memory kills without a word.

    Raises
    ------
    InputError
        If a rank's part alone is larger than this machine's memory.
    """
    ranks = ctx.comm.size
    needed = SURE * found.per_rank(ranks)
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        place = "physics" if deck.mesh is None else "mesh.cells"
        place = "ensemble.members" if deck.ensemble and deck.ensemble.members > 1 else place
        raise InputError(
            f"{place}: this needs more than {needed / 1e9:,.0f} GB on each of {ranks} "
            f"rank{'s' * (ranks > 1)}, and this machine has {there / 1e9:,.0f} GB"
        )
