"""Errors that a user can cause, each with the exit code that ``plexus`` returns for it.

The codes are part of the command line contract: 2 input, 3 solve, 4 output, 5 guard,
75 stopped early with a checkpoint. Anything else that escapes is a defect of Plexus (code 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from plexus.fileformat import shown


class PlexusError(Exception):
    """Base of all errors whose message is meant for the user.

    The message is one clear line, or several lines that each start with a place.
    """

    exit_code = 2


@dataclass(frozen=True)
class Mark:
    """A place in a text file; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return ``file:line:column``, the form that editors turn into a link."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a deck: where, at which deck path, and what."""

    mark: Mark | None
    path: str
    message: str

    def __str__(self) -> str:
        """Return ``deck.yaml:12:5: closure.checkpoint: message``."""
        where = f"{self.mark}: " if self.mark else ""
        what = f"{self.path}: " if self.path else ""
        text = where + what + self.message
        # A deck may hold line ends and terminal codes; a problem stays one harmless line.
        return shown(text.replace("\n", " "), "")


class DeckError(PlexusError):
    """All problems of a deck at once, one line each."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))

    def __reduce__(self) -> tuple[type[DeckError], tuple[list[Problem]]]:
        """Pickle by the problems, so that rank 0 can send the error to all ranks."""
        return DeckError, (self.problems,)


class InputError(PlexusError):
    """An input other than the deck is unusable: mesh, table, checkpoint."""


def of_code(code: int) -> type[PlexusError]:
    """Return the kind of error that ``plexus`` ends with an exit code for."""
    return next(kind for kind in (InputError, SolveError, OutputError, GuardError) if kind.exit_code == code)


@contextmanager
def at_path(path: str) -> Iterator[None]:
    """Put a deck path before the message of an `InputError` that is raised inside."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


class SolveError(PlexusError):
    """A linear or nonlinear solve failed and the deck names no fallback."""

    exit_code = 3


class OutputError(PlexusError):
    """A result could not be stored: full disk, unwritable folder."""

    exit_code = 4


class GuardError(PlexusError):
    """A guard stopped the run: NaN, or a value outside its allowed range.

    ``facts`` go into the summary of the run.
    """

    exit_code = 5

    def __init__(self, message: str = "", facts: Mapping[str, Any] | None = None):
        super().__init__(message)
        self.facts = facts or {}


class UntrustedError(GuardError):
    """A learned part was asked for more than it has learned; a shorter step would not help."""
