"""Histories and fields that a restart goes on with: looked at first, and set aside where they are damaged.

A crash of the machine may leave them half written, for unlike checkpoints they are not forced to the disk one
by one. The state is in the checkpoint: the run goes on, and they begin anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plexus.errors import InputError
from plexus.fileformat import SERIES
from plexus.io.series import Series
from plexus.io.vtkhdf_layout import read_layout
from plexus.runtime import sound
from plexus.runtime.claim import found, patterns
from plexus.runtime.folder import set_aside


def damaged(paths: Sequence[Path]) -> dict[Path, str]:
    """Return what is wrong with files of histories or fields; sound ones are left out (one rank)."""
    found = {}
    for path, told in zip(paths, sound.problems(paths), strict=True):
        text = f"{path}: the file is damaged ({told})" if told else _misread(path)
        if text:
            found[path] = text
    return found


def _misread(path: Path) -> str | None:
    """Return why a file that HDF5 can read is not what it should be, None if it is."""
    try:
        if path.name == SERIES:
            Series.resume(path, 0)
        else:
            read_layout(path)
    except InputError as error:
        return str(error)
    return None


def put_away_damaged(folder: Path) -> list[str]:
    """Move damaged files of histories and fields to a numbered folder; return a sentence for each (one rank).

    Raises
    ------
    OutputError
        If the disk or the folder refuses.
    """
    ours = found(folder, patterns(folder))
    paths = [p for p in ours if p.name == SERIES or p.suffix == ".vtkhdf"]
    told = damaged(paths)
    if not told:
        return []
    place = set_aside(folder, list(told), with_histories=False)
    return [f"{text}; it was moved to {place} and begins anew" for text in told.values()]
