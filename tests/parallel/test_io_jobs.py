"""Checkpoints across rank counts, and what is left when a rank is killed while it writes one."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from io_jobs import finish, start

from plexus.io import checkpoint

JOB = str(Path(__file__).parent / "checkpoint_job.py")
KILLS = int(os.environ.get("PLEXUS_KILLS", "8"))


def test_three_ranks_write_and_any_number_reads(tmp_path):
    assert finish(start(3, [JOB, "write", "c.h5"], tmp_path), tmp_path) == (0, "")
    for ranks in (1, 2, 4):
        code, err = finish(start(ranks, [JOB, "read", "c.h5"], tmp_path), tmp_path)
        assert code == 0, err + (tmp_path / "out.txt").read_text()


def wait_for(condition, limit=900.0):
    """Poll with pauses much shorter than the writing of a file: the moment of the kill matters."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        time.sleep(5e-4)
    return condition()


def kill_while_writing(folder: Path, rank: int, delay: float) -> bool:
    """Kill one rank some time after a checkpoint was begun; return whether it was left unfinished."""
    job = start(2, [JOB, "loop", str(folder)], folder)
    try:
        wait_for(lambda: len(list(folder.glob("checkpoint_*.h5"))) > 1)
        wait_for(lambda: list(folder.glob("*.partial")))
        time.sleep(delay)
        os.kill(int((folder / f"pid_{rank}").read_text()), signal.SIGKILL)
        code, _ = finish(job, folder)
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
    assert code != 0
    return bool(list(folder.glob("*.partial")))


def test_killed_rank_never_harms_an_earlier_checkpoint(tmp_path):
    from mpi4py import MPI

    unfinished, dice = 0, random.Random(1)
    for i in range(KILLS):
        folder = tmp_path / str(i)
        folder.mkdir()
        unfinished += kill_while_writing(folder, i % 2, dice.random() * 0.02)
        found = checkpoint.candidates(folder, MPI.COMM_SELF)
        assert found
        for path in found:  # every visible one is complete
            content = checkpoint.read(path, MPI.COMM_SELF, {"nodes": np.arange(200_000)})
            assert (content.arrays["a"] == content.facts["step"]).all()
        shutil.rmtree(folder)
    assert unfinished >= KILLS // 4, "the kills missed the writing"


def test_unfinished_files_are_no_candidates(tmp_path):
    from mpi4py import MPI

    (tmp_path / "checkpoint_00000003.h5.partial").write_bytes(b"half")
    assert checkpoint.candidates(tmp_path, MPI.COMM_SELF) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "no file", "other file"])
def test_damaged_checkpoint_is_one_clear_line(damage, tmp_path):
    from mpi4py import MPI

    from plexus.errors import InputError

    path = tmp_path / "checkpoint_00000001.h5"
    ids = {"nodes": np.arange(1000)}
    content = checkpoint.Content({"step": 1}, {"a": np.ones((1000, 2))}, {"a": "nodes"})
    checkpoint.write(path, MPI.COMM_SELF, ids, content)
    raw = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "flip":
        raw[raw.find(np.ones(3).tobytes()) + 7] ^= 1
        path.write_bytes(raw)
    elif damage == "no file":
        path.unlink()
    else:
        path.write_text("plexus: 1\n")
    with pytest.raises(InputError) as caught:
        checkpoint.read(path, MPI.COMM_SELF, ids)
    words = {
        "cut": "truncated",
        "flip": "damaged",
        "no file": "no such file",
        "other file": "not an HDF5 file",
    }
    assert words[damage] in str(caught.value) and "\n" not in str(caught.value)


def test_checkpoint_of_another_mesh_is_refused(tmp_path):
    from mpi4py import MPI

    from plexus.errors import InputError

    path = tmp_path / "checkpoint_00000001.h5"
    content = checkpoint.Content({}, {"a": np.ones((10, 1))}, {"a": "nodes"})
    checkpoint.write(path, MPI.COMM_SELF, {"nodes": np.arange(10)}, content)
    with pytest.raises(InputError, match=r"another mesh or degree \(10 nodes in the file, 5 needed"):
        checkpoint.read(path, MPI.COMM_SELF, {"nodes": np.arange(5, 15)})
