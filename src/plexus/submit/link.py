"""One link of a chain of jobs: what a job script runs.

A job's time is limited, a run's is not. The link runs the deck until it is done or the job's end is near; a
run that stopped early with a checkpoint (exit code 75) goes on in the next link, which is the same job put
back into the queue, or another job. The first link starts where the user says, a later one from the newest
checkpoint that the chain has written, and from the start if there is none yet (a node may fail early).

The chain ends when the run is done or has failed, when somebody cancels the job (`scancel` sends TERM; the
end of the job's time is announced by USR1), after `max_links`, and when a link has written no checkpoint.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from plexus.deck.job import Chain
from plexus.errors import InputError
from plexus.runtime import parent, scheduler
from plexus.runtime.claim import claim
from plexus.runtime.files import write_text
from plexus.runtime.interpreter import python
from plexus.runtime.summary import STOPPED
from plexus.submit import slurm

NUMBER, FIRST = "PLEXUS_LINK", "PLEXUS_CHAIN"
"""Variables of the environment: number of the link by which a job begins, and the chain's first job."""
MARK = ".chain"
"""File in the run folder that names the chain; checkpoints that are older belong to an earlier run."""
POLL, SETTLE = 0.2, 5.0
"""Seconds between looks at the run, and those that it has to start before a request to stop reaches it."""


@dataclass(frozen=True)
class Link:
    """What the job script says.

    Attributes
    ----------
    words : arguments of ``plexus``, starting with its command.
    folder : run folder; None where another command looks after its checkpoints (`plexus sweep`).
    memory : pattern of the files in the run folder from which the task goes on.
    ranks : MPI ranks; None takes those of the job.
    chain, max_links : how to go on, and how often.
    script : the job script, for the next job.
    """

    words: Sequence[str]
    folder: Path | None
    memory: str = "checkpoint_*.h5"
    ranks: int | None = None
    chain: Chain = "none"
    max_links: int = 50
    script: str = ""

    def run(self) -> int:
        """Run this link, see to the next one, and return the exit code of the job."""
        before = self._checkpoint()
        state = self._progress(before)
        again = ["--restart"] if before and _number() > 1 else []
        if _number() > 1:
            _say(
                f"link {_number()} of at most {self.max_links}: "
                + (f"from {before.name}" if before else "from the start")
            )
        self._begin()
        code, heard = _supervise(python("plexus", *self.words, *self._ranks(), *again))
        if code != STOPPED and not heard:
            return code
        return self._after(code, heard, state)

    def _after(self, code: int, heard: Sequence[int], before: tuple[str, int] | None) -> int:
        """Say what a stop means, see to the next link if there is to be one, and return the exit code."""
        now, job = self._checkpoint(), os.environ.get(scheduler.JOB)
        if signal.SIGTERM in heard or signal.SIGINT in heard:
            _say(
                f"cancelled; {now.name} is the newest checkpoint" if now else "cancelled before a checkpoint"
            )
        elif code == STOPPED and job and self.chain != "none":
            if self.folder is not None and self._progress(now) == before:
                _say("stopped without a new checkpoint: the chain ends here; give the job more time")
            elif _number() >= self.max_links:
                _say(f"this was link {_number()}, the last of at most {self.max_links}: the chain ends here")
            else:
                self._next(job)
        return code

    def _next(self, job: str) -> None:
        """Put the job back, or submit the next one."""
        if self.chain == "requeue":
            _say("goes on in the next link of this job")
            try:
                slurm.requeue(job)
                return
            except InputError as problem:
                _say(f"{problem}; submitting a new job instead")
        task = os.environ.get("SLURM_ARRAY_TASK_ID")
        options = [f"--dependency=afterany:{job}", *([f"--array={task}"] if task else [])]
        known = {NUMBER: str(_number() + 1), FIRST: _chain()}
        new = slurm.submit(self.script, options, self.words[1:], **known)
        _say(f"goes on in job {new}")

    def _begin(self) -> None:
        """Mark the run folder as this chain's, once."""
        if self.folder is not None and self._mine() is None:
            claim(self.folder, (MARK,))
            write_text(self.folder / MARK, _chain())

    def _mine(self) -> float | None:
        """Return since when the run folder is this chain's [s since the epoch]; None if it is not."""
        if self.folder is None:
            return None
        try:
            mark = self.folder / MARK
            return mark.stat().st_mtime if mark.read_text() == _chain() else None
        except OSError:
            return None

    def _checkpoint(self) -> Path | None:
        """Return the newest checkpoint that this chain has written."""
        since = self._mine()
        if since is None or self.folder is None:
            return None
        found = self.folder.glob(self.memory)
        return max((p for p in found if p.stat().st_mtime >= since), default=None)

    def _progress(self, path: Path | None) -> tuple[str, int] | None:
        """Return what changes when a task gets further: the checkpoint's name, or for a task that keeps one
        file, the time it was written [ns].
        """
        if path is None:
            return None
        return path.name, 0 if "*" in self.memory else path.stat().st_mtime_ns

    def _ranks(self) -> list[str]:
        """Return the option that sets the number of ranks."""
        ranks = self.ranks or int(os.environ.get("SLURM_NTASKS", "0"))
        return ["-n", str(ranks)] if ranks else []


def _number() -> int:
    """Return which link this is: jobs of the chain so far, and times that this job was put back."""
    counts = (os.environ.get(NUMBER, "1"), os.environ.get("SLURM_RESTART_COUNT", "0"))
    return sum(int(n) for n in counts if n.isdecimal())


def _chain() -> str:
    """Return the id of the chain: that of its first job."""
    return os.environ.get(FIRST) or os.environ.get(scheduler.JOB) or f"process {os.getpid()}"


def _supervise(command: Sequence[str]) -> tuple[int, list[int]]:
    """Run a command, pass requests to stop on; return its exit code and the signals received."""
    heard: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    # the nodes are given to others as soon as the script has died
    fate = parent.bound(signal.SIGKILL)
    child = subprocess.Popen(command, env=_environment(), start_new_session=True, preexec_fn=fate)
    begin, passed = time.monotonic(), 0
    while child.poll() is None:
        time.sleep(POLL)
        # not at once: a process that is just starting would die of it
        if len(heard) > passed and time.monotonic() - begin > SETTLE:
            passed = len(heard)
            child.send_signal(signal.SIGUSR1)
    code = child.returncode
    return (code if code >= 0 else 128 - code), heard


def _environment() -> dict[str, str]:
    """Return the environment of the run; what the user has set stays."""
    found = dict(os.environ)
    end = scheduler.end_of_job()
    if end is not None:
        found[scheduler.END] = str(int(end))
    # srun does not take this over from the job by itself
    threads = os.environ.get("SLURM_CPUS_PER_TASK")
    return {"SRUN_CPUS_PER_TASK": threads, **found} if threads else found


def _say(text: str) -> None:
    """Print a line into the job's log."""
    print(f"plexus link: {text}", flush=True)
