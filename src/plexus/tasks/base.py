"""What every task says of itself: its command, what it asks of a deck and of a job, and how it is done.

A task is light to import: it is part of the command line. MPI, PETSc and torch are loaded when it is done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Attributes
    ----------
    deck : the deck's file.
    overrides : texts ``a.b.c=value``.
    folder : run folder; None for ``runs/<deck name>``.
    restart : checkpoint file, or ``latest`` for the newest one of the run folder; None for a fresh start.
    dry : build everything, take at most two steps, write nothing.
    ranks : how many ranks were asked for; None takes those that are there.
    log_view, nvtx : profilers that follow the phases: PETSc's log, NVTX ranges.
    """

    deck: str | Path
    overrides: Sequence[str] = ()
    folder: str | Path | None = None
    restart: str | None = None
    dry: bool = False
    ranks: int | None = None
    log_view: bool = False
    nvtx: bool = False


class Task(ABC):
    """A task; ``name`` is its command, ``tip`` and ``more`` are its help."""

    name: str
    tip: str
    more: str = ""
    memory: str = "checkpoint_*.h5"
    """Files in the run folder from which the task goes on, as a pattern."""
    whole: bool = False
    """Whether a sweep is done as one, and not member by member."""
    marches: bool = True
    """Whether it marches with the reduced model that a deck names."""

    def options(self, parser: ArgumentParser) -> None:
        """Add options of its own to the command."""
        return

    def problem(self, deck: Deck) -> str | None:
        """Return why a deck cannot be used for the task; None if it can."""
        return None

    def room(self, deck: Deck, unknowns: int) -> tuple[float, float]:
        """Return the bytes of every rank, and those that all ranks share, beyond what a run needs."""
        return 0.0, 0.0

    def restarting(self, choice: str | None) -> list[str]:
        """Return the words of the command line that go on from a checkpoint."""
        return ["--restart", choice] if choice else []

    @abstractmethod
    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """Do it and return the exit code. Collective."""
