"""A full disk ends a run with exit code 4 on any number of ranks, and takes nothing that was complete."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from case_runs import RANKS, copied, of_a_terminal, program, started

from plexus import launch

SPEAKS = """\
import sys
from mpi4py import MPI
from plexus.errors import SolveError
from plexus.runtime.guard import Guard
from plexus.runtime.log import Log
comm = MPI.COMM_WORLD
log = Log(comm)
from pathlib import Path
log._path = Path("/dev/full")
def report(code, text):
    raise OSError(28, "No space left on device")
with Guard(comm, log, report):
    log.info("begin")
    if comm.rank == comm.size - 1:
        raise SolveError("one rank fails")
    comm.Barrier()
"""


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(made, capture_output=True).returncode:
        pytest.skip("a small disk needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def whole(path: Path) -> None:
    """Assert that a visible file is complete."""
    if path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix in (".h5", ".vtkhdf"):
        with h5py.File(path, locking=False) as file:
            assert len(file)


@pytest.mark.parametrize("ranks", RANKS)
def test_a_full_disk_ends_with_code_4(ranks, small_disk, tmp_path):
    here = copied("40_restarts", tmp_path)
    code, said = started(here, "run", "deck.yaml", "-o", str(small_disk / "r"), "-n", str(ranks))
    assert code == 4 and "No space left on device" in said and "Traceback" not in said, said
    for path in (small_disk / "r").iterdir():
        if path.suffix != ".partial":
            whole(path)


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("stream", ["", " >/dev/full", " >/dev/full 2>&1"])
def test_a_failing_rank_ends_the_job_though_nobody_can_be_told(ranks, stream, tmp_path):
    """A log that cannot be written kept the failing rank from ending the others, which waited for ever."""
    (tmp_path / "job.py").write_text(SPEAKS)
    words = " ".join([*launch.prefix(ranks), sys.executable, "job.py"])
    environment = launch.environment() | of_a_terminal()
    code, said = program(["sh", "-c", words + stream], tmp_path, environment)
    assert code == 3 and ("one rank fails" in said) == ("2>" not in stream), said


def test_standard_output_on_a_full_disk_is_told(tmp_path):
    here = copied("40_restarts", tmp_path)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "plexus", "check", "deck.yaml"], cwd=here, stdout=full,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr == "cannot write to standard output: No space left on device\n"
