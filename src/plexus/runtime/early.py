"""A request to stop that comes before the run can note it.

Python, MPI and PETSc take a second or two to start. USR1, with which batch systems announce the end of a job,
would end the process in that time; here it is only written down, and `plexus.runtime.stop` finds it.
"""

from __future__ import annotations

import signal

EARLY: list[int] = []
"""Signals that came so far."""


def listen() -> None:
    """Note USR1 from now on (main thread only)."""
    signal.signal(signal.SIGUSR1, lambda number, frame: EARLY.append(number))
