"""What is done before a deck whose reduced model is not there yet: the reduction that makes its file."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.fileformat import SUMMARY
from plexus.tasks.base import Request

if TYPE_CHECKING:
    from plexus.deck.schema import Deck


def before(deck: Deck) -> Request | None:
    """Return the reduction that makes the missing file of a deck's reduced model; None if none is missing.

    One that was stopped in that folder goes on.

    Raises
    ------
    PlexusError
        If the deck of the reduction is wrong.
    """
    params: Any = deck.rom
    offline = getattr(params, "offline", None)
    if offline is None or Path(params.file).exists():
        return None
    path = Path(params.file)
    overrides = () if path.name == params.written else (f"reduce.file={path.name}",)
    request = Request(offline, overrides, path.parent)
    return replace(request, restart="latest") if _resumes(request) and _stopped(path.parent) else request


def told(deck: Deck) -> list[str]:
    """Return a line about what a run of a deck begins with; none where nothing is missing."""
    first = before(deck)
    return [] if first is None else [f"before       {words(first)} (rom.file is missing)"]


def words(request: Request) -> str:
    """Return the command line of a reduction."""
    parts = ["plexus", "reduce", str(request.deck), "-o", str(request.folder)]
    return shlex.join([*parts, *(word for text in request.overrides for word in ("-s", text))])


def _resumes(request: Request) -> bool:
    """Return whether the reduction of a deck goes on from checkpoints; refuse a deck that has none."""
    from plexus import registry
    from plexus.deck.load import load
    from plexus.errors import InputError
    from plexus.tasks import named

    deck = load(request.deck, request.overrides)
    if why := named("reduce").problem(deck):
        raise InputError(f"{request.deck}: {why}")
    assert deck.reduce is not None
    return bool(getattr(registry.build("reduction", deck.reduce), "resumes", False))


def _stopped(folder: Path) -> bool:
    """Return whether a reduction has left a checkpoint there and no end: stopped in order, or killed."""
    if not any(folder.glob("checkpoint_*.h5")):
        return False
    try:
        return bool(json.loads((folder / SUMMARY).read_text("utf-8"))["status"] == "stopped")
    except (OSError, ValueError, KeyError, TypeError):
        return True
