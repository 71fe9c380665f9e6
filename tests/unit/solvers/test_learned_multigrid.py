"""The learned multigrid: positive for any weights, the skeleton for none, watched, on any ranks."""

import numpy as np
import pytest
import torch
from linear_systems import CHANNELS, OBSTACLES, solved, system
from mpi4py import MPI
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers import shipped
from plexus.solvers.multigrid import bundle, objectives, watched
from plexus.solvers.multigrid.context import positions
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.learned import Learned
from plexus.solvers.multigrid.matrices import Matrix, of_petsc
from plexus.solvers.multigrid.nets import Net
from plexus.solvers.multigrid.network import Network, fresh
from plexus.solvers.multigrid.tensors import grids
from plexus.solvers.multigrid.trials import iterations
from plexus.solvers.multigrid.unrolled import Unrolled
from plexus_kernels.native import conductances
from plexus_kernels.native.aggregate import Rows

SMALL_ONES = {
    "channels": {"type": "channels", "cells": [8, 8, 8], "seed": 2},
    "obstacles": {"type": "obstacles", "cells": [8, 8, 8], "layout": "many"},
}


def of_rows(full):
    """Return a dense matrix as sparse rows on this process."""
    n = len(full)
    ptr, col = np.arange(0, n * n + 1, n, dtype=np.int32), np.tile(np.arange(n, dtype=np.int32), n)
    return Matrix(MPI.COMM_SELF, Rows(ptr, col, full.ravel().copy()), np.empty(0, np.int64))


def small(name):
    """Return matrix and cells of a small problem; `loose` is a box that nothing holds."""
    if name != "loose":
        mat, _ = system(SMALL_ONES[name], MPI.COMM_SELF)
        return of_petsc(mat), positions(mat)
    cells = np.stack(np.unravel_index(np.arange(512), (8, 8, 8)), axis=1)
    apart = np.abs(cells[:, None] - cells[None]).sum(axis=2)
    full = -(apart == 1).astype(float)
    np.fill_diagonal(full, -full.sum(axis=1))
    i, j = np.nonzero(full)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(i))]).astype(np.int32)
    return Matrix(MPI.COMM_SELF, Rows(ptr, j.astype(np.int32), full[i, j]), np.empty(0, np.int64)), cells


@pytest.mark.parametrize("cycle", ["v", "two_step"])
@pytest.mark.parametrize("name", ["channels", "obstacles", "loose"])
def test_any_weights_give_a_symmetric_positive_definite_cycle(name, cycle, monkeypatch):
    monkeypatch.setattr("plexus.solvers.multigrid.hierarchy.SMALL", 8)
    skeleton = Hierarchy(*_at(small(name), Settings(bits=64, cycle=cycle)))
    n = skeleton.matrices[0].n
    for seed in range(3):
        found, m = Learned(skeleton, fresh(seed, 5.0)), np.zeros((n, n))
        for j, column in enumerate(np.eye(n)):
            found.cycle.apply(column, m[j])
        assert np.abs(m - m.T).max() <= 1e-12 * np.abs(m).max()
        assert np.linalg.eigvalsh((m + m.T) / 2)[0] > 0


def _at(problem, settings):
    return problem[0], settings, problem[1]


@pytest.mark.parametrize("seed", range(5))
def test_factors_leave_a_matrix_with_positive_couplings_semidefinite(seed):
    """G' - ν N of a matrix whose couplings have both signs and whose rows are not dominant."""
    draw = np.random.default_rng(seed)
    half = draw.standard_normal((14, 12))
    full = half @ half.T  # two directions cost nothing
    matrix = of_rows(full)
    factor = np.exp(draw.uniform(-1.2, 1.2, (14, 14)))
    factor = np.sqrt(factor * factor.T).ravel()
    negative = (full < 0).ravel()
    nu = min(1.0, factor[negative].min())
    conductances.scale(matrix.rows, factor, nu)
    found = matrix.rows.val.reshape(14, 14)
    assert np.abs(found - found.T).max() <= 1e-13 * np.abs(found).max()
    assert np.linalg.eigvalsh(found)[0] >= -1e-12 * np.abs(found).max()


@pytest.mark.parametrize("cycle", ["v", "two_step", "k"])
@pytest.mark.parametrize("given", [CHANNELS, OBSTACLES], ids=["channels", "obstacles"])
def test_networks_with_zeros_in_their_last_layers_change_no_bit(given, cycle):
    mat, b = system(given, MPI.COMM_SELF)
    skeleton = Hierarchy(of_petsc(mat), Settings(cycle=cycle), positions(mat))
    x, y = np.empty((2, b.getSize()))
    skeleton.cycle.apply(b.getArray(), x)
    Learned(skeleton, fresh()).cycle.apply(b.getArray(), y)
    assert np.array_equal(x, y)


@pytest.mark.parametrize("cycle", ["v", "two_step", "k"])
@pytest.mark.parametrize(("bits", "bound"), [(64, 1e-12), (32, 1e-5)])
def test_torch_trains_the_cycle_that_runs(cycle, bits, bound):
    mat, b = system(OBSTACLES, MPI.COMM_SELF)
    skeleton = Hierarchy(of_petsc(mat), Settings(cycle=cycle, bits=bits), positions(mat))
    weights, right = fresh(1, 2.0), b.getArray()
    found = np.empty_like(right)
    Learned(skeleton, weights).cycle.apply(right, found)
    net = Net(weights)
    with torch.no_grad():
        trained = Unrolled(skeleton, grids(skeleton), net).cycle(0, torch.tensor(right)[:, None])
    assert np.abs(trained[:, 0].numpy() - found).max() <= bound * np.abs(found).max()


def test_gradients_are_those_of_the_loss():
    mat, _ = system(CHANNELS, MPI.COMM_SELF)
    skeleton = Hierarchy(of_petsc(mat), Settings(cycle="k", bits=64), positions(mat))
    given = objectives.made(skeleton, np.random.default_rng(0))
    net = Net(fresh(3))
    objectives.reduction(given, net, 2, given.exact[:, :1]).backward()
    for weight in (net.edge[0].weight, net.edge[4].bias, net.level[2].bias):
        along = weight.grad.clone()
        slope, step = float((along * along).sum()), 1e-4 / float(along.norm())
        values = []
        with torch.no_grad():
            for way in (1, -2):
                weight += way * step * along
                values.append(float(objectives.reduction(given, net, 2, given.exact[:, :1])))
            weight += step * along
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=1e-4)


def test_petsc_builds_the_same_cycle(monkeypatch):
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh(1))
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    found = [solved(mat, b, rtol=1e-9, bits=64, backend=backend) for backend in ("compiled", "petsc")]
    (own, x), (petsc, y) = found
    assert own.getIterationNumber() == petsc.getIterationNumber()
    assert np.abs(x - y).max() <= 1e-9 * np.abs(x).max()


ANSWERS = {
    "nothing": lambda r: 0 * r,
    "uphill": lambda r: -r,
    "no number": lambda r: np.nan * r,
    "noise": lambda r: np.random.default_rng(0).standard_normal(len(r)),
}


@pytest.mark.parametrize("ksp", ["cg", "fcg"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers_that_will_not_do_are_replaced(answer, ksp, monkeypatch):
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    alone, _ = solved(mat, b, ksp=ksp)
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh())
    usual = watched.Watched.answer

    def spoilt(self, hierarchy, x, y):
        usual(self, hierarchy, x, y)
        if hierarchy is self.learned:
            y.setArray(answer(x.getArray()))

    monkeypatch.setattr(watched.Watched, "answer", spoilt)
    solver, _ = solved(mat, b, ksp=ksp)
    part = solver.getPC().getPythonContext().part
    assert solver.getConvergedReason() > 0
    assert solver.getIterationNumber() <= 1.3 * alone.getIterationNumber() + 10
    assert part.left == 1
    assert part.suspect


def test_weights_that_are_no_numbers_leave_the_skeleton(monkeypatch):
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    _, x = solved(mat, b)
    broken = Network({name: np.full_like(value, np.nan) for name, value in fresh().weights.items()})
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: broken)
    solver, y = solved(mat, b)
    assert np.array_equal(x, y)
    assert solver.getPC().getPythonContext().part.left == 1


def test_features_outside_of_the_training_are_told(monkeypatch):
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    narrow = Network(fresh().weights, np.full(11, -0.1), np.full(11, 0.1))
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: narrow)
    with pytest.warns(UserWarning, match=r"contrast from 0 to .*, trained from -0.1 to 0.1"):
        solved(mat, b)


@pytest.mark.mpi(min_size=2)
@pytest.mark.parametrize("cycle", ["two_step", "k"])
def test_iterations_and_solution_do_not_depend_on_ranks(cycle, monkeypatch):
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh(1))
    ksp = "cg" if cycle == "two_step" else "fcg"
    (shared, x), (alone, y) = (
        solved(*system(CHANNELS, comm), ksp=ksp, rtol=1e-10, cycle=cycle, gathered=100)
        for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)
    )
    contexts = [solver.getPC().getPythonContext() for solver in (shared, alone)]
    if MPI.COMM_WORLD.size == 2:  # blocks are cut by the borders of more
        assert np.allclose(*(context.learned.seen for context in contexts), rtol=1e-10, atol=1e-10)
    assert [context.part.left for context in contexts] == [0, 0]
    assert abs(shared.getIterationNumber() - alone.getIterationNumber()) <= 1
    whole = np.concatenate(MPI.COMM_WORLD.allgather(x))
    assert np.abs(whole - y).max() <= 1e-8 * np.abs(y).max()


def test_a_matrix_with_several_unknowns_per_node_is_refused(monkeypatch):
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh())
    mat = PETSc.Mat().createAIJ((40, 40), bsize=2, nnz=1, comm=MPI.COMM_SELF)
    for i in range(40):
        mat.setValue(i, i, 1.0)
    mat.assemble()
    context = watched.Watched()
    pc = PETSc.PC().create(MPI.COMM_SELF)
    pc.setOperators(mat)
    with pytest.raises(InputError, match="block size 2"):
        context.setUp(pc)


@pytest.mark.parametrize("name", shipped.names("learned_multigrid"))
def test_shipped_bundles_take_fewer_iterations_on_what_they_have_not_seen(name):
    network = bundle.load(shipped.found("learned_multigrid", name))
    trained = bundle.trained_for(str(shipped.found("learned_multigrid", name)))
    obstacles = OBSTACLES | {"layout": "random", "seed": 2001}
    for given, fewer in ((CHANNELS | {"seed": 2001}, 1), (obstacles, 0)):
        mat, b = system(given, MPI.COMM_SELF)
        skeleton = Hierarchy(of_petsc(mat), Settings(cycle=trained["cycle"]), positions(mat))
        counts = [
            iterations(skeleton.matrices[0], None, b.getArray().copy(), found)
            for found in (Learned(skeleton, network), skeleton)
        ]
        assert counts[0] <= counts[1] - fewer
