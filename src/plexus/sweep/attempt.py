"""One attempt to run a member: a process of its own, and a summary in its folder whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import nullcontext
from functools import cache
from pathlib import Path

from plexus import launch
from plexus.errors import OutputError
from plexus.fileformat import SUMMARY
from plexus.runtime import parent
from plexus.runtime.claim import CONSOLE
from plexus.runtime.files import reason, write_json
from plexus.runtime.interpreter import python
from plexus.runtime.log import TERMINAL
from plexus.runtime.summary import EMPTY, STOPPED
from plexus.sweep import status

OUTSIDE = (1, 2, 3, 5)
"""Exit codes of a run that failed by itself: it would fail again from its checkpoint."""


class Attempt:
    """A member that is being run by this process.

    Parameters
    ----------
    place : the member's folder; its lock is taken until `finish`.
    deck : its resolved deck.
    ranks : number of MPI ranks; 1 needs no launcher.
    task : what is done with the deck.

    Raises
    ------
    BlockingIOError
        If another process runs this member.
    OutputError
        If its folder cannot be written.
    """

    def __init__(self, place: Path, deck: Path, ranks: int = 1, task: str = "run"):
        self.place, self.deck, self.ranks, self.task = place, deck, ranks, task
        try:
            handle = status.lock(place)
        except OSError as error:
            raise OutputError(f"member folder {place}: {reason(error, place)}") from error
        if handle is None:
            raise BlockingIOError(f"{place}: this member is being run by another process")
        self._lock, self._asked = handle, False
        self._job: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the run: from its checkpoint where it was stopped from outside, else from the beginning."""
        before = status.status_of(status.read_summary(self.place), self.place)
        again = status.has_checkpoint(self.place) and (
            before.state in ("stopped", "interrupted") or before.exit_code not in (0, *OUTSIDE)
        )
        restart = ["--restart"] if again else []
        self._begin, self._stamp = time.monotonic(), self._summary_stamp()
        program = python("plexus", self.task, str(self.deck), "-o", str(self.place), *restart)
        # a session of its own keeps the terminal's Ctrl-C away
        # ranks of a cancelled job must live long enough for their checkpoint; a single one hears TERM itself
        shield = launch.without_term() if self.ranks > 1 else nullcontext()
        # what its processes print; the run's own log is `log.txt`
        with (self.place / CONSOLE).open("wb") as console, shield:
            more = {TERMINAL: "0", launch.STARTED: str(self.ranks)}
            self._job = subprocess.Popen(
                [*(launcher(self.ranks) if self.ranks > 1 else []), *program],
                env={**launch.environment(), **more}, stdin=subprocess.DEVNULL, stdout=console,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=parent.bound(),
            )  # fmt: skip

    def over(self) -> bool:
        """Return whether the run has ended."""
        return self._job is not None and self._job.poll() is not None

    def ask(self) -> None:
        """Ask the run to stop with a checkpoint."""
        self._send(signal.SIGUSR1)

    def end(self) -> None:
        """End the run at once."""
        # a launcher must have the time to end its ranks
        self._send(signal.SIGTERM if self.ranks > 1 else signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        self._asked = True
        if self._job is not None and self._job.poll() is None:
            self._job.send_signal(number)

    def finish(self) -> status.Status:
        """Return what became of the run that is over, and give the member free.

        A run that ended before it could write a summary gets one here, with the last line that it printed;
        one that was asked to stop before it had begun stays as it was.
        """
        job = self._job
        assert job is not None
        # a process killed by signal n ends like one of a shell, with 128 + n
        code = job.returncode if job.returncode >= 0 else 128 - job.returncode
        untold = self._summary_stamp() == self._stamp
        if untold and not self._asked:
            self._tell(code)
        os.close(self._lock)
        if untold and self._asked:
            return status.Status("stopped", STOPPED, "", time.monotonic() - self._begin)
        return status.status_of(status.read_summary(self.place), self.place)

    def _tell(self, code: int) -> None:
        """Write the summary of a run that ended without one."""
        facts = {"status": "failed", "exit_code": code, "ranks": self.ranks, **EMPTY}
        seconds = round(time.monotonic() - self._begin, 3)
        write_json(self.place / SUMMARY, {**facts, "wall_seconds": seconds, "message": self._message(code)})

    def _message(self, code: int) -> str:
        """Return why a run ended without a summary."""
        number = code - 128
        if number in launch.FATAL:
            cause = ", from outside or for lack of memory" if number == signal.SIGKILL else ""
            return f"ended by {signal.Signals(number).name}{cause}"
        text = (self.place / CONSOLE).read_text("utf-8", errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else f"ended with code {code} and without a word"

    def _summary_stamp(self) -> tuple[int, int] | None:
        """Return what changes when a new summary is written."""
        try:
            found = (self.place / SUMMARY).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


@cache
def launcher(ranks: int) -> tuple[str, ...]:
    """Return the launcher's command line; asked once, because it starts the launcher to know its make.

    Raises
    ------
    InputError
        If no launcher is found.
    """
    return tuple(launch.prefix(ranks))
