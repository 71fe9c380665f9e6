"""Closures over ranks: one reader, equal weights, global counts, the operator that sees the whole box."""

import hashlib
import os
import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from closure_cases import Cells, make, state

from plexus.bundles import store
from plexus.bundles.golden import Pair, replay
from plexus.bundles.pieces import Pieces, same_everywhere
from plexus.errors import InputError
from plexus.spaces.fourier import Fourier

pytestmark = pytest.mark.mpi
TRAINING = {
    "training": {
        "generator": "none", "version": "1", "filter": "none", "frames": 1, "points": 1024, "seeds": [0],
        "seed": 0, "deck": {}, "parameters": {},
    },
    "domain": {"cells": [32, 32], "size": [1, 1], "unit": "m", "end_points": [False, False]},
    "stepping": {"dt": None, "integrator": "none"}, "validation": [], "licence": "CC0-1.0",
}  # fmt: skip


@pytest.fixture
def comm():
    from mpi4py import MPI

    return MPI.COMM_WORLD


def mine(fields, space):
    return {name: value[space.rows[0] : space.rows[1]] for name, value in fields.items()}


def write(comm, path):
    """Write a bundle on the first rank and return its hash on all."""
    sha256 = None
    if comm.rank == 0:
        closure, data = make("spin_network"), state((32, 32), 1)
        told = closure.describe(closure.range_of(data)) | TRAINING
        sha256 = store.save(path, told, closure.network.state_dict(), closure.golden(data))
    return comm.bcast(sha256)


@pytest.mark.parametrize("piece", [1000, 1 << 26])
def test_first_rank_reads_and_the_others_receive(comm, shared_path, piece):
    path = shared_path / "a.safetensors"
    sha256 = write(comm, path)
    # on the other ranks there is no such file, as on the nodes of a cluster without a shared folder
    bundle = store.load(path if comm.rank == 0 else "/nowhere", sha256, comm, piece)
    assert bundle.sha256 == sha256
    assert comm.allgather(bundle.metadata) == [bundle.metadata] * comm.size
    tensors = {**bundle.weights, **bundle.golden.inputs, **bundle.golden.outputs}
    here = {name: hashlib.sha256(v.numpy().tobytes()).hexdigest() for name, v in tensors.items()}
    assert comm.allgather(here) == [here] * comm.size
    assert all(p.isfinite().all() for p in bundle.weights.values())


def damage(blob, how):
    if how == "numbers":
        return blob[:-9] + bytes([blob[-9] ^ 1]) + blob[-8:]
    return {"cut": blob[:-8], "other": b"no bundle", "empty": b"", "more": blob + b"x"}[how]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("numbers", "weights.sha256: the bundle says"),
        ("cut", "weights: the header describes"),
        ("more", "weights: the header describes"),
        ("other", "header: not a safetensors file"),
        ("empty", "header: not a safetensors file"),
    ],
)
def test_a_damaged_file_is_the_same_error_on_all_ranks(comm, shared_path, how, text):
    path = shared_path / "b.safetensors"
    write(comm, path)
    if comm.rank == 0:
        path.write_bytes(damage(path.read_bytes(), how))
    with pytest.raises(InputError) as found:
        store.load(path if comm.rank == 0 else "/nowhere", comm=comm, piece=512)
    told = str(found.value)
    assert f"b.safetensors: {text}" in told
    assert comm.allgather(told) == [told] * comm.size


def test_a_file_that_is_not_there_and_another_hash_are_told_on_all_ranks(comm, shared_path):
    path = shared_path / "c.safetensors"
    with pytest.raises(InputError, match=r"c\.safetensors: No such file"):
        store.load(path if comm.rank == 0 else "/nowhere", comm=comm)
    write(comm, path)
    with pytest.raises(InputError, match=r"c\.safetensors: sha256: the deck says 000000000000"):
        store.load(path if comm.rank == 0 else "/nowhere", "0" * 64, comm=comm)


def test_a_file_that_shrinks_is_told_on_all_ranks(comm, shared_path):
    path = shared_path / "d.bin"
    if comm.rank == 0:
        path.write_bytes(bytes(4096))
    with Pieces(path, comm, piece=512) as source:
        source.fill(bytearray(1024))
        if comm.rank == 0:
            os.truncate(path, 1500)
        with pytest.raises(InputError, match=r"d\.bin: cut off"):
            source.drain()


def test_one_rank_that_answers_otherwise_is_told_on_all(comm):
    one = torch.ones(3, dtype=torch.float64)
    pair = Pair({"x": one}, {"y": one}, 1e-3)
    wrong = 1 + 0.5 * (comm.rank == comm.size - 1)
    with pytest.raises(InputError, match=r"golden: part answers .* error of 0\.5"):
        replay("part", pair, lambda inputs: {"y": wrong * inputs["x"]}, comm)
    assert replay("part", pair, lambda inputs: {"y": inputs["x"]}, comm) == 0


def test_ranks_with_different_weights_are_refused(comm):
    if comm.size == 1:
        pytest.skip("one rank holds one set of weights")
    with pytest.raises(InputError, match="ranks hold different weights"):
        same_everywhere(f"{comm.rank:x}" * 64, comm)


def test_guard_counts_over_ranks(comm):
    space = Fourier((32, 32), (10, 10), comm)
    fields = mine(state((32, 32), 1), space)
    closure = make("spin_network", {"guard": {"patience": 2}}, space=space, comm=comm)
    alone = make("spin_network", {"guard": {"patience": 2}})
    box = closure.range_of(state((6, 6), 1, seed=3))
    for each, data in ((closure, fields), (alone, state((32, 32), 1))):
        each.use_range(box)
        for _ in range(4):
            each.evaluate(data)
            each.guard.tick()
    assert closure.guard.counts() == pytest.approx(alone.guard.counts())
    assert closure.guard.tripped and alone.guard.tripped
    told = closure.guard.state()
    assert told["counts"] == alone.guard.state()["counts"]
    closure.guard.restore(told)
    assert closure.guard.counts() == pytest.approx(alone.guard.counts())


def test_operator_is_the_same_on_all_ranks(comm):
    """Values and gradients of a split field are those of the whole one; only modes travel."""
    space = Fourier((32, 32), (10, 10), comm)
    whole = state((32, 32), 1)
    given = {"modes": 6, "precision": "fp64"}
    alone, split = make("fno", given, space=Cells(32, 32)), make("fno", given, space=space, comm=comm)
    whole["f1"].requires_grad_()
    expected = alone.raw(whole)
    part = mine(whole, space)
    part["f1"] = part["f1"].detach().requires_grad_()
    found = split.raw(part)
    rows = slice(*space.rows)
    assert (found["st"] - expected["st"][rows]).abs().max() <= 1e-12
    (expected["st"].abs() ** 2).sum().backward()
    (found["st"].abs() ** 2).sum().backward()
    assert (part["f1"].grad - whole["f1"].grad[rows]).abs().max() <= 1e-10
    for ours, theirs in zip(split.network.parameters(), alone.network.parameters(), strict=True):
        total = torch.zeros_like(ours.grad)
        comm.Allreduce(ours.grad.numpy(), total.numpy())
        assert (total - theirs.grad).abs().max() <= 1e-9 * theirs.grad.abs().max()
