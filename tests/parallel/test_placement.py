"""Binding and placement on several ranks, and what a run tells of them."""

import json

import crew
import pytest
from mpi4py import MPI

from plexus.devices.binding import Device, Gpu, bind
from plexus.devices.placement import place
from plexus.errors import InputError

BOX = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
"""


@pytest.mark.mpi
def test_ranks_take_different_gpus_and_never_share_by_accident():
    comm = MPI.COMM_WORLD
    gpus = [Gpu("A100", f"GPU-{k}") for k in range(comm.size)]
    assert bind("cuda", comm, find=lambda: gpus).name == f"cuda:{comm.rank}"
    reverse = bind("cuda", comm, "uuid", [g.uuid for g in reversed(gpus)], find=lambda: gpus)
    assert reverse.gpu == gpus[comm.size - 1 - comm.rank]
    if comm.size > 1:
        with pytest.raises(InputError, match=r"ranks 0 and 1 would both .*share: true"):
            bind("cuda", comm, "default", find=lambda: gpus)
        assert bind("cuda", comm, "default", share=True, find=lambda: gpus).name == "cuda:0"


@pytest.mark.mpi
def test_one_rank_without_a_gpu_is_told_to_all():
    comm = MPI.COMM_WORLD
    last = comm.rank == comm.size - 1
    with pytest.raises(InputError, match="no usable GPU"):
        bind("cuda", comm, find=lambda: [] if last else [Gpu("A100", f"GPU-{comm.rank}")])


@pytest.mark.mpi
def test_all_ranks_hold_the_same_table():
    comm = MPI.COMM_WORLD
    rows = place(comm, Device())
    assert sum(row["count"] for row in rows) == comm.size
    assert all(other == rows for other in comm.allgather(rows))
    crowded = comm.size > rows[0]["host_cores"]
    assert all(row["crowded"] is crowded for row in rows)


def plexus(folder, *arguments, ranks=1):
    (folder / "deck.yaml").write_text(BOX)
    return crew.plexus(folder, "run", "deck.yaml", *arguments, ranks=ranks)


def test_a_run_tells_where_its_ranks_are_and_profiles_on_request(tmp_path):
    done = plexus(tmp_path, "--log-view", "--nvtx", ranks=2)
    assert done.code == 0, done.err
    assert "rank  host" in done.out
    assert "--nvtx: no ranges are recorded, this run computes on cpu" in done.out
    folder = tmp_path / "runs" / "deck"
    summary = json.loads((folder / "summary.json").read_text())
    assert [row["ranks"] for row in summary["placement"]] == ["0-1"]
    assert summary["placement"][0]["bridge"] == "shared"
    log = (folder / "log_view.txt").read_text()
    assert all(f"plexus {phase}" in log for phase in ("mesh", "solve", "output"))
    # the phases of every rank add up to its whole time
    total = sum(p["mean"] for p in summary["phases"].values())
    assert total == pytest.approx(summary["wall_seconds"], rel=0.05)
    assert summary["phases"]["start-up"]["mean"] > 0
    assert 0 < summary["first_step_seconds"] < summary["wall_seconds"]
    progress = json.loads((folder / "progress.json").read_text())
    assert {"status", "step", "t", "share", "wall_seconds", "finish"} <= set(progress)
    assert progress["status"] == "done"


def test_a_missing_gpu_ends_a_run_with_one_line(tmp_path):
    done = plexus(tmp_path, "-s", "runtime.device=cuda", "-s", "runtime.devices.share=true")
    if done.code == 0:
        pytest.skip("this machine has a GPU")
    assert done.code == 2
    assert "no usable GPU" in done.err
    assert "Traceback" not in done.err
