"""What the batch system tells, and signals that come early or twice."""

import os
import signal
import subprocess
import sys
import time

import pytest
from mpi4py.MPI import COMM_SELF as SELF

from plexus.runtime import early, scheduler
from plexus.runtime.stop import StopRequests


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    def answer(text: str) -> None:
        path = tmp_path / "squeue"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv(scheduler.END, raising=False)
    monkeypatch.setenv(scheduler.JOB, "5")
    return answer


def test_the_environment_is_asked_first(squeue, monkeypatch):
    squeue("echo 2001-01-01T00:00:00")
    monkeypatch.setenv(scheduler.END, "123")
    assert scheduler.end_of_job() == 123


def test_slurm_is_asked_where_the_environment_says_nothing(squeue):
    end = time.time() + 30
    squeue(f"[ $3 = 5 ] && echo {time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(end))}")
    assert scheduler.end_of_job() == pytest.approx(end, abs=1)
    assert StopRequests(SELF).agree().reason == "time limit"
    assert StopRequests(SELF, margin=5.0).agree().reason is None


@pytest.mark.parametrize(
    "answer", ["echo N/A", "exit 1", "true", "echo slurm_load_jobs error: Invalid job id"]
)
def test_no_answer_is_no_limit(answer, squeue):
    squeue(answer)
    assert scheduler.end_of_job() is None


def test_without_a_job_nobody_is_asked(squeue, monkeypatch):
    squeue("echo 2001-01-01T00:00:00")
    monkeypatch.delenv(scheduler.JOB)
    assert scheduler.end_of_job() is None


def test_a_signal_before_the_run_is_not_lost(monkeypatch):
    monkeypatch.setattr(early, "EARLY", [])
    before = signal.getsignal(signal.SIGUSR1)
    try:
        early.listen()
        os.kill(os.getpid(), signal.SIGUSR1)
        monkeypatch.setattr("plexus.runtime.stop.EARLY", early.EARLY)
        assert StopRequests(SELF).agree().reason == "signal USR1"
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, -signal.SIGINT)])
def test_a_second_interrupt_ends_the_process_but_not_a_second_term(number, code):
    text = f"""
import os, signal
from mpi4py.MPI import COMM_SELF
from plexus.runtime.stop import StopRequests
signal.signal(signal.SIGINT, signal.SIG_DFL)
stop = StopRequests(COMM_SELF)
stop.watch()
for _ in range(2):
    os.kill(os.getpid(), {int(number)})
"""
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == code
