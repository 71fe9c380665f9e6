"""Failures and stops of whole jobs: messages, exit codes, and what is left on the disk."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from io_jobs import LONG, finish, linear, plexus, start, summary

GUARDED = """\
import sys
from mpi4py import MPI
from plexus.errors import InputError, SolveError
from plexus.runtime.guard import Guard
comm, mode = MPI.COMM_WORLD, sys.argv[1]
with Guard(comm):
    if mode == "one" and comm.rank == 1:
        raise SolveError("the solve of rank 1 failed")
    if mode == "defect" and comm.rank == 2:
        raise ValueError("a defect")
    if mode == "all":
        raise InputError("every rank sees this")
    if mode == "different":
        raise InputError(f"only rank {comm.rank} sees this")
    comm.Barrier()
"""
LIMITED = """\
import resource, sys
from mpi4py import MPI
import h5py
from plexus import driver
if MPI.COMM_WORLD.rank == int(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
sys.exit(driver.run("deck.yaml", folder="out"))
"""
BOX = linear("triangle", "[12, 12]", 1)


@pytest.mark.parametrize(
    ("mode", "code", "lines"),
    [
        ("one", 3, ["[rank 1] the solve of rank 1 failed"]),
        ("all", 2, ["every rank sees this"]),
        ("different", 2, [f"[rank {i}] only rank {i} sees this" for i in range(3)]),
    ],
)
def test_an_error_ends_all_ranks_with_its_message(mode, code, lines, tmp_path):
    (tmp_path / "job.py").write_text(GUARDED)
    done, err = finish(start(3, ["job.py", mode], tmp_path), tmp_path)
    assert done == code and "Traceback" not in err
    for line in lines:
        assert err.splitlines().count(line) == 1


def test_a_defect_shows_its_traceback_and_rank(tmp_path):
    (tmp_path / "job.py").write_text(GUARDED)
    done, err = finish(start(3, ["job.py", "defect"], tmp_path), tmp_path)
    assert done == 1 and "[rank 2] Traceback" in err and "ValueError: a defect" in err


def stop(folder: Path, number: int, ranks: int, arguments: list[str]) -> int:
    """Start the endless run, send a signal once it steps, return the exit code."""
    (folder / "deck.yaml").write_text(LONG)
    command = ["-m", "plexus", "run", "deck.yaml", "-o", "out", *arguments]
    job = start(ranks, command, folder)
    try:
        end = time.monotonic() + 900
        while not (folder / "out" / "fields.xdmf").exists():
            assert time.monotonic() < end and job.poll() is None, (folder / "err.txt").read_text()
            time.sleep(0.02)
        job.send_signal(number)
        return finish(job, folder)[0]
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("number", "ranks", "arguments"),
    [
        (signal.SIGUSR1, 2, []),  # mpirun passes it on
        (signal.SIGTERM, 1, []),
        (signal.SIGINT, 1, []),
        (signal.SIGTERM, 1, ["-n", "2"]),  # the launcher turns these two into USR1
        (signal.SIGINT, 1, ["-n", "2"]),
    ],
)
def test_signals_lead_to_a_checkpoint_and_code_75(number, ranks, arguments, tmp_path):
    assert stop(tmp_path, number, ranks, arguments) == 75
    found = summary(tmp_path / "out")
    assert (found["status"], found["exit_code"]) == ("stopped", 75)
    assert json.loads((tmp_path / "out" / "progress.json").read_text())["status"] == "stopped"
    end = f"time.end={(found['steps'] + 2) * 0.1} s"
    code, err = plexus(tmp_path, LONG, "-o", "out", "--restart", "latest", "-s", end)
    assert code == 0, err
    assert summary(tmp_path / "out")["steps"] == found["steps"] + 2


def test_end_of_the_batch_job_is_respected(tmp_path, monkeypatch):
    # one second more than the margin
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 61))
    code, err = plexus(tmp_path, LONG, "-o", "out")
    assert code == 75, err
    assert "time limit" in (tmp_path / "out" / "log.txt").read_text()
    assert list((tmp_path / "out").glob("checkpoint_*.h5"))


@pytest.mark.parametrize(("ranks", "rank"), [(1, 0), (2, 1)])
def test_refused_data_are_one_line_and_code_4(ranks, rank, tmp_path):
    (tmp_path / "deck.yaml").write_text(linear("triangle", "[60, 60]", 1))
    (tmp_path / "job.py").write_text(LIMITED)
    code, err = finish(start(ranks, ["job.py", str(rank), "200000"], tmp_path), tmp_path)
    assert code == 4
    assert len([line for line in err.splitlines() if "cannot write out/fields.vtkhdf: " in line]) == 1
    assert "Traceback" not in err and not (tmp_path / "out" / "fields.vtkhdf").exists()
    assert summary(tmp_path / "out")["status"] == "failed"


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of 600 kB; needs the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_full_disk_keeps_what_is_complete(small_disk, tmp_path):
    from plexus.io.vtkhdf_layout import read_layout

    deck = BOX.replace("output:", "output:\n  - {type: checkpoint, every: 3 steps, keep: 99}")
    deck = deck.replace("step: 0.1 s", "step: 1e-4 s")
    code, err = plexus(tmp_path, deck, "-o", "disk/out", ranks=2)
    assert code == 4
    assert len([line for line in err.splitlines() if "No space left on device" in line]) == 1
    folder = small_disk / "out"
    assert len(read_layout(folder / "fields.vtkhdf").steps) > 1
    (folder / "series.h5").unlink(missing_ok=True)  # room for the restart
    kept = sorted(folder.glob("checkpoint_*.h5"))
    assert kept
    code, err = plexus(tmp_path, BOX, "-o", "again", "--restart", str(kept[-1]), "-s", "time.step=0.1 s")
    assert code == 0, err


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, err = plexus(tmp_path, BOX, "-o", "file/out", ranks=2)
    assert code == 4 and err.strip() == "run folder file/out: Not a directory"


def test_not_a_number_is_code_5_and_keeps_the_checkpoint(tmp_path):
    deck = BOX.replace("source: 1", 'source: "log(0.35 - t + 0*x)"').replace(
        "output:", "output:\n  - {type: checkpoint, every: 1 steps}"
    )
    code, err = plexus(tmp_path, deck, "-o", "out", ranks=2)
    assert code == 5, err
    assert err.count("not finite") == 1
    assert "'log(0.35 - t + 0*x)' has no value" in err
    assert "Traceback" not in err
    assert summary(tmp_path / "out")["status"] == "failed"
    code, err = plexus(tmp_path, BOX, "-o", "out", "--restart", "latest")
    assert code == 0, err
