"""Running members on this machine: a few at a time, each in its own process, until all are done or stopped.

The first INT, TERM or USR1 asks the running members for a checkpoint and starts no more of them; a second INT
or TERM ends them at once. A member that fails changes nothing for the others.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from plexus.deck.members import Member
from plexus.deck.sweep import Sweep
from plexus.errors import OutputError
from plexus.sweep.attempt import Attempt, launcher
from plexus.sweep.folder import SweepFolder
from plexus.sweep.status import Status

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
PAUSE = 0.05
"""Seconds between two looks at the running members."""
Told = Callable[[Member, Status], None]


class Runner:
    """Runs members of one sweep.

    Parameters
    ----------
    sweep : the sweep.
    workers : number of members that run at once.
    ranks : MPI ranks of a member where the sweep does not say.
    told : called with each member that has ended and its status.
    """

    def __init__(self, sweep: SweepFolder, workers: int = 1, ranks: int = 1, told: Told = lambda m, s: None):
        self.sweep, self.workers, self.ranks, self._told = sweep, workers, ranks, told
        self._running: dict[int, Attempt] = {}
        self._signals = 0

    @property
    def stopped(self) -> bool:
        """True once a signal asked to stop."""
        return self._signals > 0

    def run(self, members: Sequence[Member]) -> dict[int, Status]:
        """Run members in their order and return index -> status of those that were begun.

        Raises
        ------
        InputError
            If ranks are wanted and no MPI launcher is found; nothing has been started then.
        """
        for ranks in {member.ranks or self.ranks for member in members} - {1}:
            launcher(ranks)
        waiting, found = list(members), {}
        with self._watching():
            while (waiting and not self.stopped) or self._running:
                while waiting and not self.stopped and len(self._running) < self.workers:
                    member = waiting.pop(0)
                    refused = self._start(member)
                    if refused:
                        found[member.index] = refused
                        self._told(member, refused)
                time.sleep(PAUSE)
                for index in [i for i, attempt in self._running.items() if attempt.over()]:
                    found[index] = self._running.pop(index).finish()
                    self._told(self.sweep.members[index], found[index])
        return found

    def _start(self, member: Member) -> Status | None:
        """Start a member; return its status where that is impossible."""
        try:
            place, deck = self.sweep.place(member), self.sweep.deck(member)
            attempt = Attempt(place, deck, member.ranks or self.ranks, self.sweep.task)
            attempt.start()
        except BlockingIOError:  # someone else runs it, and will tell
            return Status("running")
        except OutputError as error:
            return Status("failed", error.exit_code, str(error))
        self._running[member.index] = attempt
        # a signal may have come between the look at it and the start
        if self.stopped:
            attempt.ask()
        return None

    @contextmanager
    def _watching(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: ask all runs to stop, at a second INT or TERM end them."""
        at_once = self.stopped and number != signal.SIGUSR1
        self._signals += 1
        for attempt in list(self._running.values()):
            (attempt.end if at_once else attempt.ask)()


def default_workers(sweep: Sweep | None, ranks: int, cores: int | None = None) -> int:
    """Return how many members run at once where nobody says.

    As many as the cores of this process hold; one where the number of ranks varies, because that is done to
    compare times.
    """
    if sweep is not None and sweep.workers:
        return sweep.workers
    if sweep is not None and sweep.ranks:
        return 1
    return max(1, (cores or len(os.sched_getaffinity(0))) // ranks)
