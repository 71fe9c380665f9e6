"""The folder of a sweep: ``sweep.json``, and one run folder with a resolved deck per member.

``sweep.json`` is written last, when everything else is there, and never changed but for the members that a
search adds: any number of processes may read it and run members at once. What became of a member is told by
the ``summary.json`` in its own folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plexus.deck.effective import effective_yaml, to_data
from plexus.deck.load import Deck, load
from plexus.deck.members import Member, check, expand, resolve
from plexus.errors import InputError, OutputError
from plexus.fileformat import DATA, FORMAT_VERSION, LOG, SUMMARY, SWEEP
from plexus.runtime.claim import CONSOLE, claim
from plexus.runtime.files import locked, reason, write_json, write_text
from plexus.runtime.provenance import versions
from plexus.sweep import status
from plexus.sweep.columns import columns

LOCK = ".sweep.lock"
_DIGEST = "# digest of the deck: "


class SweepFolder:
    """An existing sweep.

    Parameters
    ----------
    folder
        The folder that holds ``sweep.json``.

    Raises
    ------
    InputError
        If there is no readable ``sweep.json``.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        try:
            self.facts: dict[str, Any] = json.loads((folder / SWEEP).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{folder / SWEEP}: {error}") from error
        if self.facts.get("format") != FORMAT_VERSION:
            raise InputError(f"{folder / SWEEP}: written by another version of Plexus")
        keys = ("index", "values", "ranks")
        self.members = [Member(**{k: entry[k] for k in keys}) for entry in self.facts["members"]]

    @property
    def task(self) -> str:
        """What is done with each member."""
        return str(self.facts.get("run", "run"))

    def place(self, member: Member) -> Path:
        """Return a member's run folder."""
        return self.folder / member.name

    def deck(self, member: Member) -> Path:
        """Return the file of a member's resolved deck."""
        return self.place(member) / f"{member.name}.yaml"

    def member(self, index: int) -> Member:
        """Return a member by its number.

        Raises
        ------
        InputError
            If there is none.
        """
        if not 0 <= index < len(self.members):
            raise InputError(
                f"{self.folder}: there is no member {index}; the sweep has 0 to {len(self.members) - 1}"
            )
        return self.members[index]

    def refresh(self, deck: Deck, member: Member) -> bool:
        """Give a member that does not run the deck as it is now; return whether that changed anything."""
        present = resolve(deck, member)
        if _digest(present) == _written(self.deck(member)):
            return False
        _write_deck(self.deck(member), present, member)
        return True

    def grow(self, deck: Deck, chosen: Callable[[Sequence[Member]], list[Member]]) -> list[Member]:
        """Add members that are chosen after all that are there, and return them.

        Another process may have added some since: the file is read again first.
        """
        with locked(self.folder / LOCK):
            self.members[:] = SweepFolder(self.folder).members
            new = chosen(self.members)
            _make(deck, [*self.members, *new], self.folder, len(self.members))
        self.members += new
        self.facts = SweepFolder(self.folder).facts
        return new

    def outdated(self, deck: Deck, members: Sequence[Member]) -> list[Member]:
        """Return those of some members whose resolved deck is not what the deck would give now."""
        return [m for m in members if _written(self.deck(m)) != _digest(resolve(deck, m))]


def locate(deck: Deck, folder: str | Path | None = None) -> Path:
    """Return the folder of a deck's sweep: the given one, or ``runs/<deck name>``."""
    return Path(folder) if folder else Path("runs") / deck.name


def prepare(deck: Deck, folder: Path) -> SweepFolder:
    """Return the sweep of a deck in a folder, made there if there is none yet.

    Any number of processes may call this at once; one of them makes it.

    Raises
    ------
    DeckError
        If a varied path or a member's deck is wrong; nothing has been written then.
    InputError
        If the folder holds a sweep with other members.
    OutputError
        If the folder cannot be written.
    """
    if not (folder / SWEEP).exists():
        members = check(deck)
        try:
            if any((folder / name).exists() for name in (SUMMARY, LOG)):
                raise InputError(f"{folder} holds a run; choose another folder for the sweep with -o")
            claim(folder, (SWEEP, LOCK, DATA.format("*")))
            with locked(folder / LOCK):
                if not (folder / SWEEP).exists():
                    _make(deck, members, folder)
        except OSError as error:
            raise OutputError(f"sweep folder {folder}: {reason(error, folder)}") from error
    sweep = SweepFolder(folder)
    # compared as sweep.json has them: JSON knows no tuples
    own = json.loads(json.dumps([asdict(m) for m in expand(deck)]))
    # a search has added others
    there = sweep.members[: len(own)] if deck.sweep and deck.sweep.search else sweep.members
    if own != [asdict(m) for m in there]:
        raise InputError(
            f"{folder} holds another sweep, of {len(sweep.members)} members with other values; "
            "choose another folder with -o, or remove this one"
        )
    return sweep


def enter(path: str | Path, overrides: Sequence[str], folder: str | Path | None) -> SweepFolder:
    """Return the sweep of a deck's file; an existing one in ``folder`` is opened without reading the deck.

    So a job array runs what was submitted, whatever became of the deck since.
    """
    if folder and (Path(folder) / SWEEP).exists():
        return SweepFolder(Path(folder))
    deck = load(path, overrides)
    place = locate(deck, folder)
    return SweepFolder(place) if (place / SWEEP).exists() else prepare(deck, place)


def _make(deck: Deck, members: Sequence[Member], folder: Path, first: int = 0) -> None:
    """Write the decks of the members from the ``first`` on, then ``sweep.json``."""
    for member in members[first:]:
        place = folder / member.name
        claim(place, (f"{member.name}.yaml", CONSOLE, status.LOCK, SUMMARY))
        _write_deck(place / f"{member.name}.yaml", resolve(deck, member), member)
    mode, run = (deck.sweep.mode, deck.sweep.run) if deck.sweep else ("", "run")
    rows = [{"folder": m.name, **asdict(m)} for m in members]
    write_json(
        folder / SWEEP,
        {
            "format": FORMAT_VERSION, "deck": str(deck.path.resolve()), "overrides": list(deck.overrides),
            "title": deck.about.title or deck.name, "mode": mode, "run": run, "versions": versions(),
            "columns": columns(deck, members), "members": rows,
        },
    )  # fmt: skip


def _write_deck(path: Path, deck: Deck, member: Member) -> None:
    head = f"{_DIGEST}{_digest(deck)}\n# member {member.index}: {member.words() or 'the deck itself'}\n"
    write_text(path, head + effective_yaml(deck), durable=False)


def _digest(deck: Deck) -> str:
    """Return what two decks share only if they say the same; comments and origins do not count."""
    return hashlib.sha256(json.dumps(to_data(deck), sort_keys=True, default=str).encode()).hexdigest()


def _written(path: Path) -> str:
    """Return the digest in a member's deck file; empty if there is none."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().removeprefix(_DIGEST).strip()
    except OSError:
        return ""
