"""Requests to stop early: signals and the time limit, agreed by all ranks once per step.

A signal handler only notes the signal; the run itself ends between two steps, where all ranks take the
same decision from one collective and a checkpoint can be written. Honoured are USR1 (batch systems
announce the end of a job with it), TERM and INT. A second INT ends the process at once; a second TERM does
not, because a cancelled job gets it from the batch system and from the launcher, and KILL follows anyway.

``mpirun`` passes USR1 on to all ranks. TERM and INT make Open MPI kill its ranks after one second, unless
``OMPI_MCA_odls_base_sigkill_timeout`` names a longer grace; `plexus run -n` turns both into USR1, and leaves
a note with the number of the signal that it received.

The time limit is the earlier of the deck's ``runtime.time_limit`` and the end of the batch job
(`plexus.runtime.scheduler`). The run stops when the time left is shorter than a margin: the deck's
``runtime.margin``, or twice the longest step.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from plexus.errors import GuardError
from plexus.runtime import scheduler
from plexus.runtime.early import EARLY

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

SIGNALS = {
    signal.SIGUSR1: "signal USR1",
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupted by Ctrl-C",
}
"""Honoured signals in words; of several, the later one here is told."""
NOTE = "PLEXUS_SIGNAL"
"""Environment variable that names the file in which the launcher notes the signal that it turns into USR1."""
BATCH_MARGIN = 60.0
"""Seconds kept free before the end of a batch job, for the last checkpoint and the clean-up."""
TIME = 1
"""Code of the time limit in the agreement; signals count on from it in the order of `SIGNALS`."""


@dataclass(frozen=True)
class Verdict:
    """What all ranks agreed on: why to stop (None: go on) and the wall time since the start [s]."""

    reason: str | None
    wall: float


class StopRequests:
    """Watches signals and the clock on behalf of one rank.

    Parameters
    ----------
    limit
        Wall time after which the run shall stop [s from now]; None for no limit of its own.
    margin
        Seconds to stop before the limit; None takes twice the longest step seen so far (and at least
        `BATCH_MARGIN` before the end of a batch job).
    """

    def __init__(self, comm: Comm, limit: float | None = None, margin: float | None = None):
        self.comm = comm
        self._begin = self._last = time.monotonic()
        self._longest = 0.0
        self._signal = EARLY[0] if EARLY else 0
        self._before: dict[int, Any] = {}
        # only root's clock counts, and one process is enough to ask the scheduler
        self._deadline = _deadline(limit, margin) if comm.rank == 0 else float("inf")
        self._margin = margin

    def watch(self) -> None:
        """Install the signal handlers (main thread only); `restore` puts the earlier ones back."""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def restore(self) -> None:
        """Put back the handlers that `watch` replaced."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: remember the first signal; the next INT acts as if unhandled."""
        # nothing else may happen here: the signal may arrive in the middle of any statement
        self._signal = self._signal or number
        if number == signal.SIGINT:
            signal.signal(number, self._before.get(number, signal.SIG_DFL))

    def agree(self, finite: bool = True) -> Verdict:
        """Decide together whether to go on. Collective; one reduction.

        Parameters
        ----------
        finite
            False if this rank found a value that is not a number or infinite.

        Raises
        ------
        GuardError
            On all ranks, if any rank reported a value that is not finite.
        """
        # imported here: the launcher of `plexus run -n` reads this module and needs neither
        import numpy as np
        from mpi4py import MPI

        now = time.monotonic()
        self._longest, self._last = max(self._longest, now - self._last), now
        # root's clock decides, so that the wall time is the same number everywhere
        root = self.comm.rank == 0
        mine = np.array(
            [not finite, _code(self._signal) if self._signal else TIME * (root and self._due(now)), 0.0]
        )
        mine[2] = now - self._begin if root else 0.0
        together = np.empty_like(mine)

        self.comm.Allreduce(mine, together, MPI.MAX)
        if together[0]:
            raise GuardError("a field contains values that are not finite (NaN or infinite)")
        return Verdict(_reason(int(together[1])), float(together[2]))

    def _due(self, now: float) -> bool:
        """Return whether the time left is too short for another step."""
        # the last step and the checkpoint must both fit
        margin = 2 * self._longest if self._margin is None else self._margin
        return now + margin >= self._deadline


def _deadline(limit: float | None, margin: float | None) -> float:
    """Return the earliest end on the monotonic clock; infinity without any limit."""
    now = time.monotonic()
    ends = [now + limit] if limit is not None else []
    job = scheduler.end_of_job()
    if job is not None:
        ends.append(now + job - time.time() - (BATCH_MARGIN if margin is None else 0.0))
    return min(ends, default=float("inf"))


def _code(number: int) -> int:
    """Return the code of a signal, or of the one that the launcher has received in its place."""
    note = Path(os.environ.get(NOTE, os.devnull))
    # on other hosts than the launcher's there is no note; the largest code of all ranks wins
    if number == signal.SIGUSR1 and note.is_file():
        text = note.read_text()
        number = int(text) if text.isdigit() else number
    return TIME + 1 + list(SIGNALS).index(signal.Signals(number))


def _reason(code: int) -> str | None:
    """Return the agreed code in words."""
    if code > TIME:
        return list(SIGNALS.values())[code - TIME - 1]
    return "time limit" if code == TIME else None
