"""Threads per rank and the table of places."""

import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from mpi4py import MPI

from plexus.devices import threads
from plexus.devices.binding import Device, Gpu
from plexus.devices.placement import Place, place, rows, spans, table
from plexus.launch import environment

HERE = Place("node1", "0-3", 4, 1, "cpu", "", "", "shared", 4, False)


@pytest.fixture
def torch(monkeypatch):
    """A torch that records its threads."""
    monkeypatch.setattr(threads, "_planned", [])
    given = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=given.append))
    return given


@pytest.mark.parametrize(
    ("mine", "host", "environment", "wanted"),
    [
        (range(4), [range(4)], {}, 4),
        (range(4), [range(4)] * 2, {}, 2),
        (range(4), [range(4)] * 3, {}, 1),
        (range(4), [range(4)] * 8, {}, 1),
        (range(2), [range(2), range(2, 4)], {}, 2),  # bound apart: nobody shares
        (range(8), [range(8)], {"OMP_NUM_THREADS": "3"}, 3),  # the user's word
        (range(8), [range(8)], {"OMP_NUM_THREADS": "1", "PLEXUS_THREADS": "auto"}, 8),  # the launcher's
        (range(8), [range(8)], {"OMP_NUM_THREADS": "6,2"}, 6),
        (range(8), [range(8)], {"OMP_NUM_THREADS": "many"}, 8),
    ],
)
def test_threads_are_the_cores_divided_by_their_users(torch, mine, host, environment, wanted):
    assert threads.plan(mine, host, environment) == wanted
    assert torch == [wanted]
    threads.settle()
    assert torch == [wanted]  # once: later the user's code may choose


def test_torch_imported_late_gets_its_threads_then(torch, monkeypatch):
    late = sys.modules["torch"]
    monkeypatch.delitem(sys.modules, "torch")
    threads.plan(range(4), [range(4)], {})
    assert torch == []
    monkeypatch.setitem(sys.modules, "torch", late)
    threads.settle()
    assert torch == [4]


def test_real_torch_takes_the_number(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(threads, "_planned", [])
    before = torch.get_num_threads()
    try:
        threads.plan(range(3), [range(3)], {})
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_launcher_says_that_its_value_is_not_the_users(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert environment()[threads.FREE] == "auto"
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv(threads.FREE, raising=False)
    assert threads.FREE not in environment()


def test_equal_ranks_make_one_row():
    made = rows([HERE, HERE, replace(HERE, host="node2"), HERE])
    assert [(r["ranks"], r["count"], r["host"]) for r in made] == [("0-1,3", 3, "node1"), ("2", 1, "node2")]
    text = table(made)
    assert text.splitlines()[0].split() == ["rank", "host", "cores", "threads", "device", "bridge"]
    assert "0-1,3  node1  0-3 (4)  1        cpu     shared" in text


def test_gpus_are_told_by_model_and_uuid():
    gpu = replace(HERE, device="cuda", gpu="NVIDIA H100", uuid="GPU-a", bridge="copied")
    assert "NVIDIA H100 GPU-a  copied" in table(rows([gpu]))


def test_thousands_of_ranks_are_told_by_kind():
    many = [
        replace(HERE, host=f"node{n}", cores=str(c), bound=1, device="cuda", gpu="A100", uuid=f"{n}-{c}")
        for n in range(100)
        for c in range(8)
    ]
    text = table(rows([*many, replace(HERE, host="login")]))
    assert len(text.splitlines()) == 3
    assert "800 ranks  100 hosts  1 each  1        A100    shared" in text


def test_more_ranks_than_cores_are_told():
    crowded = replace(HERE, crowded=True)
    assert table(rows([crowded] * 6)).splitlines()[-1] == "note: node1 has 6 ranks on 4 cores"


def test_this_process_is_placed(monkeypatch):
    monkeypatch.setattr(threads, "_planned", [])
    (row,) = place(MPI.COMM_SELF, Device("cuda:1", Gpu("H100", "GPU-b")))
    assert row["ranks"] == "0" and row["device"] == "cuda" and row["uuid"] == "GPU-b"
    assert row["bridge"] == "copied"
    assert row["bound"] == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("numbers", "text"), [([], ""), ([3], "3"), ([0, 1, 2, 5, 7, 8], "0-2,5,7-8")])
def test_ranges_of_numbers(numbers, text):
    assert spans(numbers) == text
