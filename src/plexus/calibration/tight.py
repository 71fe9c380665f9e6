"""The accuracy of solves where derivatives and fits rest on them.

Residuals of fits and remainders of derivatives see the errors of solves; what a deck leaves open about these
is solved to rounding. Then losses are the same on any ranks, to 1e-10 along whole fits.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from plexus.deck.discretisation import made_for

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

TOLERANCES = {"rtol": 1e-12, "snes_rtol": 1e-12}
"""Relative residuals of linear and nonlinear solves."""


def tight(deck: Deck) -> Deck:
    """Return the deck with the tolerances that its block `solver` leaves open, where it may have one."""
    if "solver" in made_for(deck.physics.type).blocks:
        return deck
    plain = deepcopy(deck.plain())
    blocks = plain["data"].get("solver") or {}
    plain["data"]["solver"] = {name: _tightened(block) for name, block in ({"default": {}} | blocks).items()}
    return type(deck).from_plain(plain)


def _tightened(block: Any) -> dict[str, Any]:
    """Return a block, or the short form of one, and those it falls back to."""
    whole = TOLERANCES | (block if isinstance(block, dict) else {"type": block})
    further = whole.get("on_failure", "error")
    return whole if further == "error" else whole | {"on_failure": _tightened(further)}
