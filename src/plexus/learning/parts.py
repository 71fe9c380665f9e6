"""The learned part of a deck that is trained, ready for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plexus.deck import parts
from plexus.errors import at_path
from plexus.learning.solved import Solved
from plexus.protocols import Setting

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.team import Team
    from plexus.runtime.context import Context


def made(deck: Deck, space: Any, ctx: Context, team: Team) -> Any:
    """Return the part that the deck trains, prepared for a grid; its weights ask for gradients. Collective.

    Raises
    ------
    InputError
        If the part does not fit the model, or its bundle is unsound.
    """
    if deck.train is not None and deck.train.part == parts.CONTROLS:
        return Solved(deck, ctx, team)
    path, params = parts.trained(deck)
    # comm stays out: a rank evaluates its own samples
    cls: Any = parts.component(params).cls
    around = cls.surroundings(deck) if hasattr(cls, "surroundings") else Setting()
    setting = replace(around, space=space or around.space, device=ctx.device)
    gap = parts.gap(deck.physics)
    if gap is not None and path == "closure":
        setting = gap.setting(space=space, device=ctx.device)
    with at_path(path):
        part: Any = cls(params)
        part.prepare(setting)
    part.network.requires_grad_(True)
    return part
