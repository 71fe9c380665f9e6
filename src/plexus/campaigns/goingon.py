"""With what a campaign goes on: the rows of the same draws, marched by the same deck."""

from __future__ import annotations

from pathlib import Path

import yaml

from plexus.campaigns.record import Record, Row
from plexus.deck.changes import changes
from plexus.errors import InputError
from plexus.fileformat import DECK, SERIES

FREE = ("about", "runtime", "job", "campaign.check", "campaign.batch", "campaign.outside")
"""Paths of the deck on which no row depends."""


def earlier(folder: Path, present: str, model: str) -> dict[int, Row]:
    """Return the rows of the campaign in a folder whose deck and model are those of before (one rank only).

    Parameters
    ----------
    folder : Path
        Run folder.
    present : str
        Text of the effective deck; empty where nothing is to be compared.
    model
        Identity of the reduced model's file.

    Raises
    ------
    InputError
        If the folder has results of something else, or of other draws or by another model than the deck's.
    """
    rows = Record.read(folder)
    if not rows and (folder / SERIES).exists():
        raise InputError(f"{folder}: its results are of no campaign; choose another folder with -o")
    if rows and present and (folder / DECK).exists():
        old, new = (yaml.safe_load(text) or {} for text in ((folder / DECK).read_text("utf-8"), present))
        told = [line for line in changes(old, new) if not line.split(":")[0].startswith(FREE)]
        if told:
            raise InputError(
                "\n".join(f"{line}: the campaign has begun with the other" for line in told)
                + "\na campaign with these changes begins anew, without --restart"
            )
    known = Record.model(folder) if rows else ""
    if known and known != model:
        raise InputError(
            "rom.file: its model was made anew since the campaign has begun, which begins anew, too: leave "
            "--restart out"
        )
    return rows
