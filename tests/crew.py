"""The program without its start: in this process, or on ranks that are there and wait for commands.

Python, MPI and PETSc take nearly a second to start on each rank, most runs of tests a tenth of that. Tests
whose subject is the process itself (signals, limits, what a launcher does) start one.

As a script: one rank of a crew. It does what the lines of its pipe say until the pipe is closed.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TextIO
from unittest.mock import patch

from plexus.cli import main
from plexus.launch import environment, find
from plexus.runtime import folder as run_folder

LIMIT = 900.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what all ranks wrote to either stream."""

    code: int
    out: str
    err: str


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of a job from a terminal; waiting ranks leave the cores to others."""
    inherited = {k: v for k, v in environment().items() if not k.startswith(("OMPI_COMM", "PMIX_", "PMI_"))}
    return {**inherited, "OMPI_MCA_mpi_yield_when_idle": "1", **more}


def on_ranks(ranks: int) -> list[str]:
    """Return the words that start a program on any number of ranks."""
    return [*find(), "--quiet", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]


def plexus(folder: Path, *arguments: str, ranks: int = 1) -> Ended:
    """Do what ``plexus`` does in ``folder``."""
    if ranks > 1:
        return crew(ranks).does(folder, arguments)
    out, err = io.StringIO(), io.StringIO()
    # files that cannot be written end a process at once; this one is that of the tests
    with patch.object(os, "_exit", side_effect=SystemExit):
        code = done(folder, arguments, out, err)
    return Ended(code, out.getvalue(), err.getvalue())


def done(folder: Path, arguments: Sequence[str], out: TextIO, err: TextIO) -> int:
    """Run the command line in ``folder`` with other streams; return its exit code."""
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    # what the end of a process would do: other processes may write there, files of a failed run are closed
    while run_folder._LOCKS:
        os.close(run_folder._LOCKS.popitem()[1])
    if code:
        gc.collect()
    return code


@cache
def crew(ranks: int) -> Crew:
    """Return the crew of so many ranks; the first call starts it."""
    return Crew(ranks)


class Crew:
    """Ranks of one job that wait for commands; a job that a command has ended is started again."""

    def __init__(self, ranks: int):
        self.ranks, self.job = ranks, None
        atexit.register(self._end)

    def does(self, folder: Path, arguments: Sequence[str]) -> Ended:
        """Do on all ranks what ``plexus`` does in ``folder``."""
        if self.job is None:
            self._begin()
        said = [self.place / name for name in ("out.txt", "err.txt")]
        for path in said:
            path.write_text("")
        for pipe in self.pipes:
            os.write(pipe, f"{json.dumps([str(folder), *arguments])}\n".encode())
        ended = Ended(self._code(), *(path.read_text() for path in said))
        if self.job.poll() is not None:
            self._end()
        return ended

    def _begin(self) -> None:
        """Start the job."""
        self.place = Path(tempfile.mkdtemp(prefix="crew_"))
        names = [self.place / name for name in (*map(str, range(self.ranks)), "codes")]
        for name in names:
            os.mkfifo(name)
        # open at both ends: neither side waits for the other to open it
        *self.pipes, self.codes = (os.open(name, os.O_RDWR) for name in names)
        self.job = subprocess.Popen(
            [*on_ranks(self.ranks), sys.executable, __file__, str(self.place)], env=clean_environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _code(self) -> int:
        """Return the exit code that the ranks tell, or that of the job if the command has ended it."""
        end = time.monotonic() + LIMIT
        while not select.select([self.codes], [], [], 0.2)[0]:
            ended = self.job.poll()
            if ended is not None:
                return ended
            assert time.monotonic() < end, "the ranks wait for each other"
        return int(os.read(self.codes, 16))

    def _end(self) -> None:
        """End the job and take away its pipes."""
        if self.job is None:
            return
        if self.job.poll() is None:
            os.killpg(self.job.pid, signal.SIGKILL)
            self.job.wait()
        for pipe in (*self.pipes, self.codes):
            os.close(pipe)
        shutil.rmtree(self.place)
        self.job = None


def wait_for_commands(place: Path) -> None:
    """Do what the lines of this rank's pipe say. Collective."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    gc.freeze()
    with open(place / str(comm.rank)) as commands, open(place / "codes", "w", buffering=1) as codes:
        for line in commands:
            folder, *arguments = json.loads(line)
            # what was said is in the file even if the command ends this process
            with (
                open(place / "out.txt", "a", buffering=1) as out,
                open(place / "err.txt", "a", buffering=1) as err,
            ):
                code = done(Path(folder), arguments, out, err)
            worst = max(comm.allgather(code))
            if comm.rank == 0:
                print(worst, file=codes)


if __name__ == "__main__":
    wait_for_commands(Path(sys.argv[1]))
