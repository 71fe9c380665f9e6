"""The guard: an error on one rank ends all ranks within seconds, with that rank's message and exit code.

Two cases must be told apart without the risk of a deadlock. If *all* ranks fail at the same place (a wrong
deck, a diverged solve), the message appears once and all ranks leave in order. If *some* fail, the others
may wait in a collective for ever, so the failing rank ends the job with ``MPI_Abort``. A failing rank
therefore enters a non-blocking barrier: it completes exactly when every rank has failed. After a short
patience without completion the failure is taken as that of some ranks.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from plexus.errors import OutputError, PlexusError
from plexus.runtime.log import Log

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

PATIENCE = 1.5
"""Seconds that a failing rank waits for the others to fail too."""
DEFECT = 1
"""Exit code of an error that is nobody's input: a defect of Plexus or of a library."""
INTERRUPTED = 130
"""Exit code after Ctrl-C before a run can stop with a checkpoint, as shells have it."""

Report = Callable[[int, str], None]
"""Called with exit code and message on the one rank that speaks for the failure."""


class Guard:
    """Context manager around everything that ranks do together.

    Parameters
    ----------
    log
        Where the message goes; without one it goes to standard error only.
    report
        Called once before the end, on the rank that speaks, e.g. to write ``summary.json``.
    """

    def __init__(self, comm: Comm, log: Log | None = None, report: Report | None = None):
        self.log = log or Log(comm)
        self.report = report
        self._comm = comm.Dup()  # failing ranks talk apart from all other messages

    def __enter__(self) -> Guard:
        """Start to watch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the whole job if the block failed; `SystemExit` carries the exit code when all ranks failed."""
        if error is None:
            self._comm.Free()
            return
        if isinstance(error, SystemExit):
            return
        code, text = exit_code(error), describe(error)
        if not self._everyone():
            self._speak(code, text)
            self._abort(code)
        together = self._comm.allgather((code, text))
        if self._comm.rank == 0:
            self._speak_for(together)
        self._comm.Barrier()  # nobody leaves before the message is out: mpirun ends the rest on a bad exit
        worst = max(c for c, _ in together)
        if worst == OutputError.exit_code:
            self._leave(worst)
        raise SystemExit(worst) from None

    def _everyone(self) -> bool:
        """Return whether all ranks fail, waiting no longer than `PATIENCE`."""
        request, end = self._comm.Ibarrier(), time.monotonic() + PATIENCE
        while not request.Test():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def _speak_for(self, together: list[tuple[int, str]]) -> None:
        """Print each different message once; if there are several, with the first rank that has it."""
        texts = [text for _, text in together]
        for text in dict.fromkeys(texts):
            alone = len(set(texts)) == 1
            self.log.error(text if alone else f"[rank {texts.index(text)}] {text}", everyone=True)
        self._tell(max(c for c, _ in together), texts[0])

    def _speak(self, code: int, text: str) -> None:
        """Print the message of this rank alone."""
        self.log.error(text)
        self._tell(code, text)

    def _tell(self, code: int, text: str) -> None:
        """Hand the failure to the caller's report; its own trouble must neither hide the first error nor keep
        the ranks waiting.
        """
        if self.report:
            # the disk that failed may fail again; the message has been printed
            with suppress(OutputError, OSError, MemoryError):
                self.report(code, text)

    def _abort(self, code: int) -> None:
        """End all ranks of the job."""
        self._flush()
        self._comm.Abort(code)

    def _leave(self, code: int) -> None:
        """End this process without any clean-up.

        HDF5 and MPI-IO still hold data that they could not write; trying again at exit crashes or hangs them.
        """
        self._flush()
        os._exit(code)

    def _flush(self) -> None:
        """Hand what was said to the operating system; a full disk must not keep the ranks waiting."""
        self.log.flush()
        with suppress(OSError, ValueError):
            sys.stdout.flush()


def exit_code(error: BaseException) -> int:
    """Return what the job ends with."""
    if isinstance(error, PlexusError):
        return error.exit_code
    if isinstance(error, MemoryError):
        return PlexusError.exit_code  # the input is too large for this machine
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else DEFECT


def describe(error: BaseException) -> str:
    """Return what the user can mend or has done as a plain message, anything else with its traceback."""
    if isinstance(error, PlexusError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory: {error}".rstrip(": ") + "; take fewer cells, or more ranks on more nodes"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return "".join(traceback.format_exception(error)).rstrip()
