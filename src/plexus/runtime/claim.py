"""Which folders are ours, and which files in them: nothing else is moved, overwritten or deleted.

A folder is one of Plexus if it carries the file ``.plexus``, whose lines are the patterns of all names that
runs have written there. A name that a run is going to write may be taken by such a file only. A link in its
place would lead the run to a file elsewhere, and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.errors import InputError
from plexus.fileformat import (
    DECK,
    EFFECTIVE,
    FACTS,
    LOCK,
    LOG,
    LOG_VIEW,
    MARK,
    MODES,
    PARTIAL,
    PROGRESS,
    SEAL,
    SERIES,
    SUMMARY,
    TRAINING,
)  # fmt: skip
from plexus.runtime.files import write_text

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

CHECKPOINTS = "checkpoint_[0-9]*.h5"
RUN = (DECK, SUMMARY, PROGRESS, LOG, LOG_VIEW, SERIES, TRAINING, CHECKPOINTS)
"""Names and patterns of what every run or training may write."""
JOB, JOB_LOG, JOB_LOGS, CONSOLE = "job.sh", "job.out", "job-*.out", "console.txt"
STAYS = (".*", JOB, JOB_LOG, JOB_LOGS, CONSOLE, "member_*.yaml")
"""What is no result: of jobs, of sweeps, and all that is hidden."""
PREVIOUS = "previous"
"""Folder for earlier results."""
EARLIER = (*RUN, "*.safetensors", "*.vtkhdf", "*.xdmf")
"""What lies in run folders that are older than the mark."""
LOCKS = (LOCK, ".member.lock")
"""What tells such a folder beside its deck and sealed checkpoints."""


def fields(name: str) -> tuple[str, ...]:
    """Return the patterns of the files that hold fields under a name."""
    return f"{name}.vtkhdf", f"{name}_[0-9]*.vtkhdf", f"{name}.xdmf"


def of_deck(deck: Deck) -> tuple[str, ...]:
    """Return the patterns of all files that a run or training of a deck may write."""
    named = [str(output.name) for output in deck.output if hasattr(output, "name")]
    made = [deck.train.output] if deck.train else []
    return (*RUN, *(p for name in named for p in fields(name)), *made, *reduced(deck))


def reduced(deck: Deck) -> tuple[str, ...]:
    """Return the patterns of what a reduction writes: models, their modes as fields, their facts."""
    many, file = getattr(deck.reduce, "files", None), getattr(deck.reduce, "file", "")
    # a dictionary tells its facts in a file of its own
    ends = (MODES,) if many else (MODES, FACTS)
    files = tuple(filter(None, many or (file,)))
    return (*files, *(str(Path(each).with_suffix(end)) for each in files for end in ends))


def claim(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Make names in a folder ours; return the patterns of the results that were there before (one rank only).

    Parameters
    ----------
    folder
        The folder; it is made if it is missing.
    names
        Names and patterns of what is going to be written.

    Raises
    ------
    InputError
        If one of the names is taken by a file that is not ours, or is a link to elsewhere.
    OutputError
        If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours, wanted = patterns(folder), tuple(names)
    for path in found(folder, {*ours, *wanted, MARK, PREVIOUS, *LOCKS}):
        if path.is_symlink():
            raise InputError(
                f"folder {folder}: {path.name} is a link to elsewhere; choose another folder with -o"
            )
        if not any(matches(path.name, p) for p in (*ours, MARK, PREVIOUS, *LOCKS)):
            raise InputError(
                f"folder {folder}: {path.name} is there and is not ours; choose another folder with -o"
            )
    if not {*wanted} <= {*ours} or not (folder / MARK).exists():
        write_text(folder / MARK, "".join(f"{p}\n" for p in sorted({*ours, *wanted})), durable=False)
    return tuple(p for p in ours if not any(fnmatchcase(p, each) for each in STAYS))


def patterns(folder: Path) -> tuple[str, ...]:
    """Return the patterns of what is ours in a folder; none where it is not one of Plexus."""
    mark = folder / MARK
    if mark.is_file() and not mark.is_symlink():
        lines = mark.read_text("utf-8", errors="replace").splitlines()
        # a name alone: what stands here is deleted and moved
        return tuple(line for line in lines if line and "/" not in line and line.strip("*?."))
    written = _effective(folder / DECK)
    if not written and not any((folder / name).is_file() for name in LOCKS) and not _sealed(folder):
        return ()
    names = {path.name.removesuffix(PARTIAL) for path in found(folder, EARLIER)}
    return tuple(escape(name) for name in sorted(names if written else names - {DECK}))


def holds(folder: Path, deck: str) -> bool:
    """Return whether a folder holds a finished run of an effective deck; comments do not count."""

    def said(text: str) -> list[str]:
        return [line.partition("  # ")[0] for line in text.splitlines() if not line.startswith("#")]

    try:
        facts = json.loads((folder / SUMMARY).read_text("utf-8"))
        return facts["status"] in ("done", "degraded") and said((folder / DECK).read_text("utf-8")) == said(
            deck
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _effective(path: Path) -> bool:
    """Return whether a file is an effective deck that a run has written."""
    return _begins(path, EFFECTIVE.encode())


def _sealed(folder: Path) -> bool:
    """Return whether a folder holds a checkpoint, which may be a copy that goes on there."""
    return any(_begins(path, SEAL) for path in found(folder, (CHECKPOINTS,)))


def _begins(path: Path, mark: bytes) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def found(folder: Path, wanted: Iterable[str]) -> list[Path]:
    """Return what lies in a folder under one of the patterns, complete or not."""
    every: Sequence[str] = tuple(wanted)
    return sorted(p for p in folder.iterdir() if any(matches(p.name, each) for each in every))


def matches(name: str, pattern: str) -> bool:
    """Return whether a file, complete or not, has a name of a pattern."""
    return fnmatchcase(name.removesuffix(PARTIAL), pattern)
