"""Processes that do not outlive the one that started them.

Whoever kills `plexus run -n`, `plexus sweep` or a job script (``kill -9``, lack of memory) wants the run to
end. The kernel therefore sends a signal to each child whose parent has died. It is INT, as from Ctrl-C: a
launcher ends its ranks and clears their shared memory away, a sweep's member on one rank stops with a
checkpoint (a launcher in a batch job does not hear TERM, see `plexus.launch`). It is KILL where the job is
over with its script. Ranks need nothing like it: they leave when the connection to their launcher breaks.
Linux only; elsewhere children stay.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""The kernel's number of this request."""


def bound(number: int = signal.SIGINT) -> Callable[[], None] | None:
    """Return what `subprocess.Popen` shall call in the child (``preexec_fn``); None off Linux.

    ``number`` is the signal. The kernel watches the thread that starts the child, so that this must be the
    main thread.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        # a parent that died before the request is not told any more
        if os.getppid() != parent:
            os._exit(128 + number)

    return bind
