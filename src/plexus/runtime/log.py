"""The log: rank 0 speaks to the screen and to ``log.txt``, other ranks only when something is wrong.

Every line is appended to ``log.txt`` in a single write, so lines of several ranks do not mix. The
progress line is shown on a terminal only and never reaches the file.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from plexus.fileformat import LOG, shown

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

BAR = 24
"""Width of the progress bar [characters]."""
TERMINAL = "PLEXUS_TERMINAL"
"""Environment variable that is 1 if what the user started writes to a terminal."""


class Log:
    """Messages of one rank.

    Parameters
    ----------
    comm
        Communicator whose rank 0 speaks.
    folder
        Run folder that holds ``log.txt``; None logs to the screen only.
    stream
        Where the screen is; standard output by default.
    """

    def __init__(self, comm: Comm, folder: Path | None = None, stream: TextIO | None = None):
        self.rank, self.size = comm.rank, comm.size
        self._stream = stream or sys.stdout
        self._start = time.monotonic()
        self._file: int | None = None
        self._path = folder / LOG if folder else None
        self._progress = False
        self._seen: set[str] = set()

    def info(self, message: str) -> None:
        """Say something once, from rank 0."""
        if self.rank == 0:
            self._screen(message)
            self._store(message)

    def warn(self, message: str) -> None:
        """Warn from whichever rank sees the problem; the same message of a rank appears once."""
        if message in self._seen:
            return
        self._seen.add(message)
        text = f"{self._who()}warning: {message}"
        self._screen(text)
        self._store(text)

    def error(self, message: str, *, everyone: bool = False) -> None:
        """Report what ends the run, on standard error and in the file.

        The rank stands in front, unless the message is that of ``everyone``.
        """
        self._clear()
        text = shown(message if everyone else self._who() + message)
        with suppress(OSError):  # the job must end, even if nobody can be told why
            print(text, file=sys.stderr, flush=True)
        self._store(text)
        self.flush()

    def detail(self, message: str) -> None:
        """Write to ``log.txt`` only, from rank 0."""
        if self.rank == 0:
            self._store(message)

    def progress(self, share: float, text: str) -> None:
        """Show a progress bar (``share`` from 0 to 1) and a text, on rank 0 of a terminal only."""
        # a launcher may give its ranks a terminal although its own output goes into a file, so that the
        # process that the user started decides
        if self.rank == 0 and self._stream.isatty() and os.environ.get(TERMINAL) == "1":
            done = round(BAR * min(max(share, 0.0), 1.0))
            self._stream.write(f"\r\x1b[K{'━' * done}{'╌' * (BAR - done)} {share:4.0%}  {text}")
            self._stream.flush()
            self._progress = True

    def flush(self) -> None:
        """Hand everything to the operating system, as far as that takes it; never raises."""
        for stream in (self._stream, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()

    def close(self) -> None:
        """End the progress line and close the file."""
        self._clear()
        self.flush()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _who(self) -> str:
        return f"[rank {self.rank}] " if self.size > 1 else ""

    def _clear(self) -> None:
        """Remove the progress line, so that a message starts on an empty line."""
        if self._progress:
            self._stream.write("\r\x1b[K")
            self._progress = False

    def _screen(self, text: str) -> None:
        """Print; a run goes on when the reader of its output, e.g. `head`, has left, or its disk is full."""
        try:
            self._clear()
            print(shown(text), file=self._stream, flush=True)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def _store(self, text: str) -> None:
        """Append lines with their time to the file; a full disk must not hide the message itself."""
        if self._path is None:
            return
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            stamp = f"{time.monotonic() - self._start:9.2f} s  "
            lines = "".join(f"{stamp}{line}\n" for line in shown(text).splitlines() or [""])
            # no buffer: what a full disk has refused must not come back at every later flush
            os.write(self._file, lines.encode("utf-8", "replace"))
        except OSError:
            self._path = None
