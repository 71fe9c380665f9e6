"""Closures over ranks: one reader, equal weights, global counts, the operator that sees the whole box."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from closure_cases import Cells, make, state

from plexus.bundles import store
from plexus.errors import InputError
from plexus.spaces.fourier import Fourier

pytestmark = pytest.mark.mpi
TRAINING = {
    "training": {
        "generator": "none", "version": "1", "parameters": {}, "grid": [32, 32], "filter": "none",
        "frames": 1, "points": 1024, "seeds": [0],
    },
    "physical": {}, "stepping": {"dt": None, "integrator": "none"}, "validation": [], "licence": "CC0-1.0",
}  # fmt: skip


@pytest.fixture
def comm():
    from mpi4py import MPI

    return MPI.COMM_WORLD


def mine(fields, space):
    return {name: value[space.rows[0] : space.rows[1]] for name, value in fields.items()}


def test_first_rank_reads_and_the_others_receive(comm, shared_path):
    path = shared_path / "a.safetensors"
    sha256 = None
    if comm.rank == 0:
        closure = make("spin_network")
        box = closure.range_of(state((32, 32), 1))
        sha256 = store.save(path, closure.describe(box) | TRAINING, closure.network.state_dict())
    sha256 = comm.bcast(sha256)
    # on the other ranks there is no such file, as on the nodes of a cluster without a shared folder
    bundle = store.load(path if comm.rank == 0 else "/nowhere", sha256, comm)
    store.same_everywhere(bundle.metadata["weights"]["sha256"], comm)
    total = sum(float(w.double().sum()) for w in bundle.weights.values())
    assert comm.allreduce(total) == pytest.approx(comm.size * total, rel=1e-15)


def test_a_bad_file_is_told_on_all_ranks(comm, shared_path):
    path = shared_path / "b.safetensors"
    if comm.rank == 0:
        path.write_bytes(b"no bundle")
    with pytest.raises(InputError, match=r"b\.safetensors: header"):
        store.load(path, comm=comm)


def test_ranks_with_different_weights_are_refused(comm):
    if comm.size == 1:
        pytest.skip("one rank holds one set of weights")
    with pytest.raises(InputError, match="ranks hold different weights"):
        store.same_everywhere(f"{comm.rank:x}" * 64, comm)


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
