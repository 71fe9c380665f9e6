"""The learned multigrid: positive for any weights, the skeleton for none, watched, on any ranks."""

from itertools import product

import numpy as np
import pytest
import torch
from linear_systems import CHANNELS, OBSTACLES, solved, system
from mpi4py import MPI

from plexus import registry
from plexus.solvers import shipped
from plexus.solvers.multigrid import bundle, factors, objectives, watched
from plexus.solvers.multigrid.blocks import levels
from plexus.solvers.multigrid.context import positions
from plexus.solvers.multigrid.features import flows, merged
from plexus.solvers.multigrid.hierarchy import LOW, Hierarchy, Settings
from plexus.solvers.multigrid.learned import Learned
from plexus.solvers.multigrid.matrices import Matrix, of_petsc
from plexus.solvers.multigrid.nets import Net
from plexus.solvers.multigrid.network import MIXED, SHARE, Network, fresh, mixed
from plexus.solvers.multigrid.tensors import grids
from plexus.solvers.multigrid.trials import Whole, hierarchy, iterations, system_of
from plexus.solvers.multigrid.unrolled import Unrolled
from plexus_kernels.native import conductances
from plexus_kernels.native.aggregate import Rows

ELASTIC = {"type": "tetrahedra", "cells": [4, 4, 4], "equation": "elasticity", "seed": 1}
MESH = {"type": "tetrahedra", "cells": [6, 6, 6], "seed": 1}
LARGER = ELASTIC | {"cells": [6, 6, 6]}
EVERY = {"obstacles": OBSTACLES, "channels": CHANNELS, "mesh": MESH, "elasticity": ELASTIC}
SMALL_ONES = {
    "channels": {"type": "channels", "cells": [8, 8, 8], "seed": 2},
    "obstacles": {"type": "obstacles", "cells": [8, 8, 8], "layout": "many"},
    "mesh": MESH,
    "elasticity": ELASTIC,
}


def of_rows(full):
    """Return a dense matrix as sparse rows on this process."""
    n = len(full)
    ptr, col = np.arange(0, n * n + 1, n, dtype=np.int32), np.tile(np.arange(n, dtype=np.int32), n)
    return Matrix(MPI.COMM_SELF, Rows(ptr, col, full.ravel().copy()), np.empty(0, np.int64))


def problem(given):
    """Return a problem as trainings have it."""
    member = registry.component("problem", given["type"])
    return member.cls(member.params.model_validate({k: v for k, v in given.items() if k != "type"}))


def small(name):
    """Return a small system; `loose` is a box that nothing holds."""
    if name != "loose":
        return system_of(problem(SMALL_ONES[name]))
    cells = np.stack(np.unravel_index(np.arange(512), (8, 8, 8)), axis=1)
    apart = np.abs(cells[:, None] - cells[None]).sum(axis=2)
    full = -(apart == 1).astype(float)
    np.fill_diagonal(full, -full.sum(axis=1))
    i, j = np.nonzero(full)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(i))]).astype(np.int32)
    rows = Rows(ptr, j.astype(np.int32), full[i, j])
    return Whole(Matrix(MPI.COMM_SELF, rows, np.empty(0, np.int64)), cells, np.ones(512))


@pytest.mark.parametrize("name", [*SMALL_ONES, "loose"])
def test_any_weights_give_a_symmetric_positive_definite_cycle(name, monkeypatch):
    """30 draws of all weights, large ones, with both linear cycles and all degrees."""
    monkeypatch.setattr("plexus.solvers.multigrid.hierarchy.SMALL", 8)
    given = small(name)
    n, draws = given.matrix.n, range(5)
    for degree, cycle in product(range(1, 7), range(2)):
        settings = Settings(bits=64, cycle=["v", "two_step"][cycle], degree=degree)
        skeleton = hierarchy(given, settings)
        for seed in draws[cycle::2]:
            found, m = Learned(skeleton, fresh(10 * degree + seed, 5.0)), np.zeros((n, n))
            for j, column in enumerate(np.eye(n)):
                found.cycle.apply(column, m[j])
            assert np.abs(m - m.T).max() <= 1e-12 * np.abs(m).max()
            assert np.linalg.eigvalsh((m + m.T) / 2)[0] > 0


ODD = ((1, 1, 70), (2, 17), (5, 3, 7), (90,))
"""Cells of grids: ends of lines in all places of a bundle, axes of one and two cells."""


def odd(cells, contrast=1e12, seed=0):
    """Return diffusion among holes, with couplings of random size, of which nothing holds any part."""
    draw = np.random.default_rng(seed)
    places = np.stack(np.unravel_index(np.arange(np.prod(cells)), cells), axis=1)
    places = places[draw.random(len(places)) > 0.1]
    apart = np.abs(places[:, None] - places[None]).sum(axis=2)
    size = contrast ** draw.random(len(places))
    full = np.where(apart == 1, -2 / (1 / size[:, None] + 1 / size), 0.0)
    alone = ~full.any(axis=1)
    full += np.diag(alone - full.sum(axis=1))
    at, col = np.nonzero(full)
    ptr = np.append(0, np.cumsum(np.bincount(at, minlength=len(full)))).astype(np.int32)
    rows = Rows(ptr, col.astype(np.int32), full[at, col])
    matrix = Matrix(MPI.COMM_SELF, rows, np.empty(0, np.int64))
    return Whole(matrix, places, np.ones(len(full))), alone


@pytest.mark.parametrize("cycle", ["v", "two_step"])
@pytest.mark.parametrize("cells", ODD, ids=str)
def test_what_nothing_holds_is_held_by_no_rounding(cells, cycle, monkeypatch):
    """Row sums of all levels are zero to the last bit, whatever the network makes of the couplings."""
    monkeypatch.setattr("plexus.solvers.multigrid.hierarchy.SMALL", 4)
    given, alone = odd(cells)
    for seed in range(3):
        made = Learned(hierarchy(given, Settings(bits=64, cycle=cycle)), fresh(seed, 5.0))
        assert len(made.matrices) > 2
        assert np.array_equal(made.matrices[0].held, alone)
        rows = [m.held[m.rows.ptr[1:] - m.rows.ptr[:-1] > 1] for m in made.matrices]
        assert not np.concatenate(rows).any()
        m = np.zeros((given.matrix.n, given.matrix.n))
        for j, column in enumerate(np.eye(len(m))):
            made.cycle.apply(column, m[j])
        root = np.sqrt(given.matrix.diagonal)
        m = m * root[:, None] * root
        assert np.abs(m - m.T).max() <= 1e-10 * np.abs(m).max()
        assert np.linalg.eigvalsh((m + m.T) / 2)[0] > -1e-13 * np.abs(m).max()


@pytest.mark.parametrize("cells", ODD, ids=str)
def test_torch_trains_the_flows_of_odd_grids(cells):
    given, _ = odd(cells, 1e4)
    full = given.matrix.rows
    full.val[full.col == np.repeat(np.arange(given.matrix.n), np.diff(full.ptr))] *= 1.01
    skeleton, weights = hierarchy(given, Settings(cycle="v", bits=64)), fresh(1, 2.0)
    found = np.empty_like(given.rhs)
    Learned(skeleton, weights).cycle.apply(given.rhs, found)
    with torch.no_grad():
        right = torch.from_numpy(given.rhs)[:, None]
        trained = Unrolled(skeleton, levels(skeleton), Net(weights)).cycle(0, right)
    assert np.abs(trained[:, 0].numpy() - found).max() <= 1e-9 * np.abs(found).max()


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
    conductances.scale(matrix.rows, matrix.held.copy(), factor, nu)
    found = matrix.rows.val.reshape(14, 14)
    assert np.abs(found - found.T).max() <= 1e-13 * np.abs(found).max()
    assert np.linalg.eigvalsh(found)[0] >= -1e-12 * np.abs(found).max()


@pytest.mark.parametrize("link", [39, 40], ids=["between aggregates", "inside of one"])
def test_flows_tell_where_a_coupling_is_weak(link, monkeypatch):
    """A line of cells with one weak link: the coupling beside it carries what it does in series with it."""
    monkeypatch.setattr("plexus.solvers.multigrid.hierarchy.SMALL", 8)
    ties = np.ones(79)
    ties[link] = 0.2
    full = np.diag(-ties, 1) + np.diag(-ties, -1)
    np.fill_diagonal(full, -full.sum(axis=1))
    line = Whole(of_rows(full), np.arange(80)[:, None], np.ones(80))
    grid = grids(hierarchy(line, Settings()))[0]
    share = flows(grid, grid.w.clamp(min=0), merged(grid, grid.w, grid.s)[0])
    found = share[grid.coarse.w > 0]
    assert len(found) == 39
    assert found[[8, 9, 29, 30]].tolist() == pytest.approx([1.0] * 4)
    if link == 39:
        assert 1.2 < found[19] < 2 / 1.2  # of 0.2, and of ones on both sides
    else:
        assert float(found[19]) == pytest.approx(float(found[20]))
        assert 1 / 3 < found[19] < 0.8


def test_bundles_without_flows_ask_for_none():
    old = bundle.load(shipped.found("learned_multigrid", "grids_k"))
    assert not old.asks_for_flows
    assert fresh(1).asks_for_flows
    given = system_of(problem(CHANNELS))
    assert factors.potentials(given.matrix, None).shape == (given.matrix.n, 0)
    assert factors.potentials(given.matrix, given.places).shape == given.places.shape


@pytest.mark.parametrize("cycle", ["v", "two_step", "k"])
@pytest.mark.parametrize("given", EVERY.values(), ids=EVERY)
def test_networks_with_zeros_in_their_last_layers_change_no_bit(given, cycle):
    given = system_of(problem(given))
    skeleton = hierarchy(given, Settings(cycle=cycle))
    x, y = np.empty((2, given.matrix.n))
    skeleton.cycle.apply(given.rhs, x)
    Learned(skeleton, fresh()).cycle.apply(given.rhs, y)
    assert np.array_equal(x, y)


@pytest.mark.parametrize("cycle", ["v", "two_step", "k"])
@pytest.mark.parametrize(("bits", "bound"), [(64, 1e-11), (32, 1e-5)])
@pytest.mark.parametrize("given", EVERY.values(), ids=EVERY)
def test_torch_trains_the_cycle_that_runs(given, cycle, bits, bound):
    given = system_of(problem(given))
    skeleton, right = hierarchy(given, Settings(cycle=cycle, bits=bits)), given.rhs
    weights, found = fresh(1, 2.0), np.empty_like(right)
    Learned(skeleton, weights).cycle.apply(right, found)
    with torch.no_grad():
        unrolled = Unrolled(skeleton, levels(skeleton), Net(weights))
        trained = unrolled.cycle(0, torch.tensor(right)[:, None])
    assert np.abs(trained[:, 0].numpy() - found).max() <= bound * np.abs(found).max()


@pytest.mark.parametrize(
    ("given", "rel"),
    [(CHANNELS, 1e-4), (MESH, 1e-2), (ELASTIC, 1e-4)],
    ids=["channels", "mesh", "elasticity"],
)
def test_gradients_are_those_of_the_loss(given, rel):
    """But for bounds of smoothers, which have none, and of shares, which these weights do not touch."""
    skeleton = hierarchy(system_of(problem(given)), Settings(cycle="k", bits=64))
    given = objectives.made(skeleton, np.random.default_rng(0))
    net = Net(fresh(2))
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
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=rel)


@pytest.mark.parametrize("given", [CHANNELS, LARGER], ids=["channels", "elasticity"])
def test_petsc_builds_the_same_cycle(given, monkeypatch):
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh(1))
    mat, b = system(given, MPI.COMM_SELF)
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


@pytest.mark.parametrize(
    ("given", "ksp"), [(CHANNELS, "cg"), (CHANNELS, "fcg"), (MESH, "cg"), (ELASTIC, "cg")]
)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers_that_will_not_do_are_replaced(answer, given, ksp, monkeypatch):
    mat, b = system(given, MPI.COMM_SELF)
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
    narrow = Network(fresh().weights, np.full(12, -0.1), np.full(12, 0.1))
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: narrow)
    with pytest.warns(UserWarning, match=r"contrast from 0 to .*, trained from -0.1 to 0.1"):
        solved(mat, b)


def test_positive_couplings_are_told(monkeypatch):
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh())
    with pytest.warns(UserWarning, match=r"\d\.\d% of the couplings are positive"):
        solved(*system(MESH, MPI.COMM_SELF))


@pytest.mark.mpi(min_size=2)
@pytest.mark.parametrize(("given", "cycle"), [(CHANNELS, "two_step"), (CHANNELS, "k"), (LARGER, "two_step")])
def test_iterations_and_solution_do_not_depend_on_ranks(given, cycle, monkeypatch):
    monkeypatch.setattr(watched.Watched, "_network", lambda self, pc: fresh(1))
    ksp = "cg" if cycle == "two_step" else "fcg"
    (shared, x), (alone, y) = (
        solved(*system(given, comm), ksp=ksp, rtol=1e-10, cycle=cycle, gathered=100)
        for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)
    )
    contexts = [solver.getPC().getPythonContext() for solver in (shared, alone)]
    if MPI.COMM_WORLD.size == 2 and given is CHANNELS:  # blocks are cut by the borders of more
        assert np.allclose(*(context.learned.seen for context in contexts), rtol=1e-10, atol=1e-10)
    assert [context.part.left for context in contexts] == [0, 0]
    # pairs never leave a rank
    more = 1 if given is CHANNELS else 3
    assert abs(shared.getIterationNumber() - alone.getIterationNumber()) <= more
    whole = np.concatenate(MPI.COMM_WORLD.allgather(x))
    assert np.abs(whole - y).max() <= 1e-8 * np.abs(y).max()


SEEN = {
    "grids_k": ((CHANNELS | {"seed": 2001}, 1), (OBSTACLES | {"layout": "random", "seed": 2001}, 0)),
    "obstacles_v": ((OBSTACLES | {"layout": "random", "seed": 2001}, 1),),
}
"""Of each bundle families like those of its training, and how many iterations fewer it takes at least."""


@pytest.mark.parametrize("name", shipped.names("learned_multigrid"))
def test_shipped_bundles_take_fewer_iterations_on_what_they_have_not_seen(name):
    network = bundle.load(shipped.found("learned_multigrid", name))
    trained = bundle.trained_for(str(shipped.found("learned_multigrid", name)))
    for given, fewer in SEEN[name]:
        mat, b = system(given, MPI.COMM_SELF)
        skeleton = Hierarchy(of_petsc(mat), Settings(cycle=trained["cycle"]), positions(mat))
        counts = [
            iterations(skeleton.matrices[0], None, b.getArray().copy(), found)
            for found in (Learned(skeleton, network), skeleton)
        ]
        assert counts[0] <= counts[1] - fewer


@pytest.mark.parametrize("degree", LOW)
@pytest.mark.parametrize("ratio", [0.02, 0.067, 0.2, 0.5, 0.9])
def test_any_shares_leave_a_smoother_that_converges(degree, ratio):
    """|1 - λ p(λ)| < 1 on (0, b], and Chebyshev's own polynomial where nothing is mixed."""
    x = np.linspace(0, 1, 2001)[1:]  # λ/b
    errors = np.array([
        np.polynomial.Chebyshev.basis(j)((1 + ratio - 2 * x) / (1 - ratio))
        / np.polynomial.Chebyshev.basis(j)((1 + ratio) / (1 - ratio))
        for j in range(degree + 1)
    ])  # fmt: skip
    steps = np.diff(errors, axis=0)
    assert np.array_equal(mixed(np.zeros(MIXED), degree, ratio), np.ones(degree))
    for corner in product((-1, 0, 1), repeat=MIXED):
        error = 1 + mixed(SHARE * np.array(corner), degree, ratio) @ steps
        assert np.abs(error).max() < 1
