"""Conjugate directions: conjugate gradients where they must be, safe with any network; how networks learn."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from crew import plexus
from linear_systems import CHANNELS, NAME, OBSTACLES, system
from mpi4py import MPI
from petsc4py import PETSc

from plexus.bundles import store
from plexus.deck.load import load
from plexus.errors import DeckError, InputError
from plexus.learning.stages._directed import Directed
from plexus.learning.stages.conjugate_directions import ConjugateDirectionsParams
from plexus.nets import directions as nets
from plexus.solvers import shells, shipped
from plexus.solvers.directions import bundle, steps
from plexus.solvers.directions.context import Directions
from plexus.solvers.directions.krylov import install
from plexus.solvers.directions.ritz import lowest, mixtures, ritz
from plexus.solvers.directions.stencil import Stencil
from plexus.solvers.directions.steps import drawn
from plexus.solvers.multigrid.context import positions
from plexus.solvers.multigrid.matrices import of_petsc

PLUME = {"type": "plume", "cells": [32, 32, 32], "layout": "empty"}
SMALL = PLUME | {"cells": [12, 12, 12], "layout": "many"}
FLEXIBLE = {"ksp_fcg_mmax": 2, "ksp_fcg_truncation_type": "standard"}


class Owner:
    """What a method lives as long as."""


def solved(mat, b, method, context=None, rtol=1e-6, most=1000, **options):
    """Return solver, solution and residual norms; ``ours`` is the method that is none of PETSc's."""
    database = PETSc.Options("test_directions_")
    for name, value in options.items():
        database.setValue(name, value)
    ksp, owner = PETSc.KSP().create(mat.comm), Owner()
    ksp.setOptionsPrefix("test_directions_")
    ksp.setOperators(mat)
    if method == "ours":
        owner.method = install(ksp, owner)
    else:
        ksp.setType(method)
    if context is not None:
        shells.install(ksp.getPC(), context, owner)
    else:
        ksp.getPC().setType(options.get("pc_type", "none"))
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.setTolerances(rtol=rtol, atol=0.0, max_it=most)
    ksp.setConvergenceHistory()
    ksp.setFromOptions()
    x = b.duplicate()
    ksp.solve(b, x)
    for name in options:
        database.delValue(name)
    return ksp, x.getArray().copy(), ksp.getConvergenceHistory().copy(), owner


@pytest.mark.parametrize(("layout", "count"), [("empty", 138), ("many", 210)])
def test_without_a_preconditioner_they_are_conjugate_gradients(layout, count):
    mat, b = system(PLUME | {"layout": layout}, MPI.COMM_SELF)
    (theirs, x, *_), (ours, y, *_) = (solved(mat, b, method, most=20) for method in ("cg", "ours"))
    assert np.abs(x - y).max() <= 1e-8 * np.abs(x).max()
    assert ours.getConvergedReason() == theirs.getConvergedReason() == -3
    (theirs, *_), (ours, _, norms, _) = (solved(mat, b, method) for method in ("cg", "ours"))
    assert len(norms) == ours.getIterationNumber() + 1
    assert abs(ours.getIterationNumber() - theirs.getIterationNumber()) <= 1
    assert abs(ours.getIterationNumber() - count) <= 1


@pytest.mark.parametrize("cycle", ["two_step", "k"])
def test_with_a_preconditioner_they_are_those_of_petsc(cycle):
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    given = {"pc_type": "python", "pc_python_type": NAME, "pc_plexus_bits": 64, "pc_plexus_cycle": cycle}
    ours, _, norms, _ = solved(mat, b, "ours", **given)
    flexible, _, other, _ = solved(mat, b, "fcg", **given, **FLEXIBLE)
    assert abs(ours.getIterationNumber() - flexible.getIterationNumber()) <= 1
    assert np.allclose(norms[:8], other[:8], rtol=1e-6)
    if cycle == "two_step":
        plain, *_ = solved(mat, b, "cg", **given)
        assert abs(ours.getIterationNumber() - plain.getIterationNumber()) <= 1


def test_the_number_of_stored_directions_is_an_option():
    mat, b = system(SMALL, MPI.COMM_SELF)
    counts = [
        solved(mat, b, "ours", most=5000, ksp_plexus_directions=m)[0].getIterationNumber() for m in (0, 1, 2)
    ]
    assert counts[0] > 3 * counts[1] and abs(counts[1] - counts[2]) <= 1


class Context:
    """A preconditioner of no matrix."""

    def setUp(self, pc):
        """Do nothing."""


def ring(n, shift=0.0):
    """Return a matrix whose constants cost ``shift``."""
    mat = PETSc.Mat().createAIJ((n, n), nnz=3, comm=MPI.COMM_SELF)
    for i in range(n):
        mat.setValues([i], [(i - 1) % n, i, (i + 1) % n], [-1.0, 2.0 + shift, -1.0])
    mat.assemble()
    return mat, mat.createVecLeft()


def test_a_null_space_is_projected():
    mat, b = ring(40)
    mat.setNullSpace(PETSc.NullSpace().create(constant=True, comm=MPI.COMM_SELF))
    values = np.random.default_rng(0).standard_normal(40)
    b.setArray(values - values.mean())

    class Shifted(Context):
        def apply(self, pc, x, y):
            x.copy(y)
            y.shift(3.0)

    ksp, x, *_ = solved(mat, b, "ours", Shifted(), rtol=1e-10)
    assert ksp.getConvergedReason() > 0
    assert abs(x.sum()) <= 1e-9 * np.abs(x).max()


def test_a_matrix_that_is_not_definite_is_told():
    mat, b = ring(10, shift=-1.0)
    b.setArray(np.ones(10))
    ksp, _, _, owner = solved(mat, b, "ours")
    assert ksp.getConvergedReason() == PETSc.KSP.ConvergedReason.DIVERGED_INDEFINITE_MAT
    assert owner.method.detail == "not positive definite: qᵀA q = -10 at iteration 0"


def test_an_answer_that_is_no_direction_is_replaced_and_counted():
    mat, b = system(SMALL, MPI.COMM_SELF)

    class Nothing(Context):
        def apply(self, pc, x, y):
            y.zeroEntries()

    ksp, *_, owner = solved(mat, b, "ours", Nothing())
    assert ksp.getIterationNumber() == solved(mat, b, "ours")[0].getIterationNumber()
    assert owner.method.replaced == ksp.getIterationNumber()


class Answer(torch.nn.Module):
    """A network that answers what it is told to."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.like = kind, torch.nn.Parameter(torch.zeros(1))
        self.random = torch.Generator().manual_seed(0)

    def forward(self, r):
        """Return it."""
        answers = {"nan": r * float("nan"), "zeros": 0 * r, "uphill": -r}
        return answers[self.kind] if self.kind in answers else torch.randn(r.shape, generator=self.random)


@pytest.mark.parametrize("method", ["ours", "fcg"])
@pytest.mark.parametrize("kind", ["nan", "zeros", "uphill", "noise"])
def test_any_network_converges(kind, method):
    mat, b = system(SMALL, MPI.COMM_SELF)
    context = Directions("", network=Answer(kind))
    ksp, *_ = solved(mat, b, method, context)
    plain, *_ = solved(mat, b, "cg")
    assert ksp.getIterationNumber() <= 1.3 * plain.getIterationNumber() + 10
    assert context.part.left == (0 if kind == "uphill" else 10)
    why = context.part.look(1)
    expected = {"nan": "no numbers", "zeros": "not descend", "noise": "gain less than the residual"}
    assert why is None if kind == "uphill" else expected[kind] in why


def test_a_matrix_without_cells_is_refused():
    mat, b = ring(10)
    with pytest.raises(InputError, match="none of the cells of a grid in space"):
        solved(mat, b, "ours", Directions("", network=Answer("zeros")))


@pytest.mark.parametrize(
    ("profile", "count", "reach", "cost"), [("64", 97_457, 22, 121_856), ("128", 152_881, 34, 184_064)]
)
def test_networks_are_the_published_ones(profile, count, reach, cost):
    plan = nets.Plan(profile)
    assert plan.parameters == count
    assert plan.flops == pytest.approx(cost, rel=0.01)
    assert plan.radius == reach == _reach(plan)


@pytest.mark.parametrize("form", ["linear", "symmetric"])
def test_other_forms_are_linear_and_one_is_symmetric_and_positive(form):
    net = nets.Directions(nets.Plan(channels=2, form=form), seed=3).double()
    r, s = torch.randn(2, 1, 9, 8, 10, dtype=torch.float64)
    answers = [_raw(net, x).detach() for x in (r, s, 2 * r - s)]
    assert torch.allclose(2 * answers[0] - answers[1], answers[2], atol=1e-12)
    one, other = (answers[0] * s).sum(), (answers[1] * r).sum()
    assert bool(torch.isclose(one, other, rtol=1e-10)) == (form == "symmetric")
    assert form == "linear" or float((answers[0] * r).sum()) > 0
    with torch.no_grad():
        assert torch.equal(_raw(net, r), answers[0])


@pytest.mark.parametrize("more", [{}, {"form": "linear"}, {"form": "symmetric"}, {"levels": 4}])
def test_plans_count_weights_and_reach(more):
    plan = nets.Plan(channels=2, **more)
    assert plan.parameters == sum(p.numel() for p in nets.Directions(plan).parameters())
    if "form" not in more or more["form"] == "symmetric":
        assert plan.radius == _reach(plan)


def _reach(plan):
    net = nets.Directions(plan._replace(channels=2)).double()
    reach, centre = plan.radius, 2 ** (plan.levels - 1)
    with torch.no_grad():
        for value in net.parameters():  # no unit is silent
            value.copy_(torch.rand(value.shape, dtype=torch.float64))
        n, found = 2 * reach + 2 * centre + 2, 0
        r = torch.rand(1, n, 4, 4, dtype=torch.float64)
        base = _raw(net, r)
        for at in range(n // 2, n // 2 + centre):  # the coarse cells lie differently around them
            other = r.clone()
            other[0, at, 2, 2] += 0.5
            seen = (_raw(net, other) != base).any(3).any(2)[0].nonzero()
            found = max(found, at - int(seen.min()), int(seen.max()) - at)
    return found


def _raw(net, r):
    """Return the answer to residuals whose mean square one bears no change of a cell."""
    return net(r, size=torch.ones(1, dtype=r.dtype))


def test_the_answer_does_not_depend_on_the_size_of_the_residual_nor_need_even_grids():
    net, r = nets.Directions(nets.Plan(channels=2)), torch.randn(1, 5, 6, 7)
    assert torch.allclose(net(r), net(1e6 * r), rtol=1e-4)
    assert net(r).shape == r.shape


def test_ritz_vectors_and_their_mixtures():
    mat, _ = system(PLUME | {"cells": [16, 16, 16]}, MPI.COMM_SELF)
    stencil = Stencil(of_petsc(mat), positions(mat))
    x, y = mat.createVecs()
    x.setArray(np.random.default_rng(3).standard_normal(stencil.n))
    mat.mult(x, y)
    assert np.allclose(stencil.times(x.getArray()), y.getArray(), atol=1e-13)
    draw = np.random.default_rng(0)
    found = ritz(stencil.times, stencil.n, 300, draw)
    assert np.abs(found.basis.T @ found.basis - np.eye(300)).max() <= 1e-10
    for value, y in zip(found.values[-5:], found.mixed[:, -5:].T, strict=True):
        u = found.basis @ y
        assert np.linalg.norm(stencil.times(u) - value * u) <= 1e-6 * value
    b = mixtures(found, 100, 0.55, 9.0, draw)
    assert np.allclose(np.linalg.norm(b, axis=1), 1, rtol=1e-5)
    shares = ((b @ found.basis) @ found.mixed) ** 2
    share = shares[:, : lowest(found, 0.55)].sum() / shares.sum()
    assert share == pytest.approx(81 * 0.55 / (81 * 0.55 + 0.45), rel=0.01)


def test_a_space_that_is_exhausted_ends_lanczos():
    found = ritz(lambda v: 2.0 * v, 30, 20, np.random.default_rng(0))
    assert found.basis.shape == (30, 1) and np.allclose(found.values, 2)


def test_errors_are_drawn_from_rough_to_smooth():
    mat, _ = system(SMALL, MPI.COMM_SELF)
    operator = Stencil(of_petsc(mat), positions(mat))
    assert operator.bound == 12
    e, again = (drawn(operator, 40, np.random.default_rng(7)) for _ in range(2))
    r = operator.product(e)
    assert torch.equal(e, again) and bool((e[:, operator.inside == 0] == 0).all())
    assert torch.allclose(r.square().sum((1, 2, 3)), torch.ones(40, dtype=r.dtype))
    # the mean eigenvalue that an error has a share in
    rough = (r * r).sum((1, 2, 3)) / (e * r).sum((1, 2, 3))
    assert float(rough.max()) > 6 and float(rough.min()) < 0.5


def test_what_a_training_makes_small_is_what_a_solve_leaves():
    mat, b = system(SMALL, MPI.COMM_SELF)
    operator, net = Stencil(of_petsc(mat), positions(mat)), nets.Directions(nets.Plan(channels=2)).double()
    e = drawn(operator, 1, np.random.default_rng(3))
    b.setArray(operator.rows(operator.product(e))[0].numpy())

    class Unwatched(Directions):
        def _wrong(self, *_):
            return None

    def energy(steps):
        _, x, *_ = solved(mat, b, "ours", Unwatched("", network=net), most=steps, rtol=1e-30)
        left = e[0] - operator.spread(torch.from_numpy(x))
        return float((left * operator.product(left[None])[0]).sum())

    energies = [energy(k) for k in range(6)]
    shares = [after / before for before, after in itertools.pairwise(energies)]
    loss = steps.left(net, operator, e, 5)
    assert float(loss.detach()) == pytest.approx(np.mean(shares), rel=1e-9)
    loss.backward()
    assert all(bool(p.grad.isfinite().all()) and float(p.grad.abs().max()) > 0 for p in net.parameters())


def test_ranks_share_the_solves_of_a_step():
    mat, b = system(SMALL, MPI.COMM_SELF)
    given = of_petsc(mat), positions(mat), b.getArray()
    net = nets.Directions(nets.Plan(channels=2))

    def part(rank, size):
        session = SimpleNamespace(
            plan=SimpleNamespace(seed=1),
            position=SimpleNamespace(stage=0),
            team=SimpleNamespace(rank=rank, size=size),
            part=SimpleNamespace(network=net),
            samples=SimpleNamespace(total=3),
            data=SimpleNamespace(system=lambda number: given),
        )
        stage = ConjugateDirectionsParams(batch=3, iterations=2)
        return float(Directed(session, stage).part(5).detach())

    assert sum(part(rank, 2) for rank in range(2)) == pytest.approx(part(0, 1), rel=1e-5)
    assert part(3, 4) == 0


DECK = """
plexus: 1
physics: {type: matrix, problem: {type: plume, cells: [8, 8, 8], layout: many}}
solver: {u: {ksp: conjugate_directions, rtol: 1e-6, preconditioner: {type: directions, channels: 4}}}
"""
TRAIN = """
train:
  data: {type: ritz, problem: {type: plume, cells: [8, 8, 8], layout: empty}, vectors: 40, samples: 30}
  loss: one_step
  stages: [{type: fit, steps: 100, batch: 5, optimizer: {type: adam, rate: 5e-3, final_rate: 1e-3}}]
  validation: {type: systems, problems: [{type: plume, cells: [8, 8, 8], layout: empty}]}
"""


def test_a_training_leaves_a_bundle_that_a_run_takes(tmp_path):
    (tmp_path / "train.yaml").write_text(DECK + TRAIN)
    ended = plexus(tmp_path, "train", "train.yaml", "-o", "out")
    assert ended.code == 0, ended.err
    told = json.loads((tmp_path / "out/summary.json").read_text())
    (row,) = told["validation"]
    assert row["baselines"]["conjugate gradients"] == 29 and row["value"] > 0
    assert told["quantities"]["loss.0"] < 0.6
    named = f"channels: 4, bundle: out/bundle.safetensors, sha256: {told['sha256']}"
    (tmp_path / "run.yaml").write_text(DECK.replace("channels: 4", named))
    ended = plexus(tmp_path, "run", "run.yaml", "-o", "run")
    assert ended.code == 0, ended.err
    run = json.loads((tmp_path / "run/summary.json").read_text())
    solver, guard = run["solver"]["u"], run["guards"]["solver.u.preconditioner"]
    assert solver["replaced"] == 0
    # as many answers as the watch allows, then residuals
    assert 10 <= guard["applications"] <= solver["applications"]


SOLVES = """
train:
  data: {type: systems, problems: [{type: plume, cells: [8, 8, 8], layout: empty}]}
  stages: [{type: conjugate_directions, steps: 60, iterations: 3}]
  validation: {type: systems, problems: [{type: plume, cells: [8, 8, 8], layout: many}]}
"""


def test_a_training_on_what_it_meets_itself_is_better_than_conjugate_gradients(tmp_path):
    (tmp_path / "train.yaml").write_text(DECK + SOLVES)
    ended = plexus(tmp_path, "train", "train.yaml", "-o", "out")
    assert ended.code == 0, ended.err
    (row,) = json.loads((tmp_path / "out/summary.json").read_text())["validation"]
    assert row["value"] < 0.9 * row["baselines"]["conjugate gradients"]


@pytest.mark.parametrize("wrong", [{"form": "bent"}, {"levels": 9}, {"channels": "8"}, {"profile": None}])
def test_a_bundle_of_no_such_network_is_refused(wrong, tmp_path):
    read = store.load(shipped.found("directions", "lite_32"))
    read.metadata["architecture"]["hyper"] |= wrong
    store.save(tmp_path / "net.safetensors", read.metadata, read.weights, read.golden)
    with pytest.raises(InputError, match="no such network"):
        bundle.load(tmp_path / "net.safetensors")


@pytest.mark.parametrize(("layout", "most"), [("empty", 55), ("many", 100)])
def test_the_shipped_network_takes_half_the_iterations(layout, most):
    mat, b = system(PLUME | {"layout": layout}, MPI.COMM_SELF)
    for name in shipped.names("directions"):
        context = Directions("", network=bundle.load(shipped.found("directions", name)))
        ksp, *_ = solved(mat, b, "ours", context, rtol=1e-4)
        assert ksp.getConvergedReason() > 0 and ksp.getIterationNumber() <= most
        assert not context.part.tired


@pytest.mark.parametrize(
    ("stage", "solver", "member"),
    [
        ("conjugate_directions", "{preconditioner: learned_multigrid}", "directions"),
        ("conjugate_gradients", "{preconditioner: directions}", "learned_multigrid"),
    ],
)
def test_a_stage_of_another_part_is_an_error_of_the_deck(stage, solver, member, tmp_path):
    head, _ = DECK.split("solver")
    train = SOLVES.replace("conjugate_directions, steps: 60, iterations: 3", stage)
    (tmp_path / "deck.yaml").write_text(f"{head}solver: {{u: {solver}}}\n{train}")
    with pytest.raises(DeckError, match=f"is for a part {member}, and that of this training is"):
        load(tmp_path / "deck.yaml")


def test_cg_with_a_network_is_an_error_of_the_deck(tmp_path):
    (tmp_path / "deck.yaml").write_text((DECK + TRAIN).replace("ksp: conjugate_directions", "ksp: cg"))
    with pytest.raises(DeckError, match="directions changes from one application to the next, and cg needs"):
        load(tmp_path / "deck.yaml")


def test_a_network_that_is_no_use_gives_way_and_the_run_says_so(tmp_path, make_run, monkeypatch):
    monkeypatch.setattr("plexus.solvers.directions.bundle.load", lambda *_: Answer("noise"))
    (tmp_path / "net.safetensors").write_bytes(b"")
    named = f"channels: 4, bundle: {tmp_path}/net.safetensors, sha256: {'a' * 64}"
    run = make_run(DECK.replace("channels: 4", named))
    run.execute()
    told = run.system.parts["solver.u.preconditioner"].summary()
    assert told["mean_outside"] == 1.0 and told["applications"] == told["fallback"] * 10


@pytest.mark.mpi(min_size=2)
def test_ranks_have_the_same_answers():
    net = nets.Directions(nets.Plan(channels=2), seed=1)
    found = []
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        mat, b = system(OBSTACLES, comm)
        context = Directions("", network=net)
        ksp, x, *_ = solved(mat, b, "ours", context, rtol=1e-8)
        found.append((ksp.getIterationNumber(), context.part.counts()["mean_outside"], x))
    (shared, share, x), (alone, other, y) = found
    assert abs(shared - alone) <= 1 and share == pytest.approx(other, abs=0.1)
    whole = np.concatenate(MPI.COMM_WORLD.allgather(x))
    assert np.abs(whole - y).max() <= 1e-6 * np.abs(y).max()


@pytest.mark.mpi(min_size=2)
def test_a_box_that_is_too_large_for_every_rank_is_refused(monkeypatch):
    monkeypatch.setattr("plexus.solvers.directions.context.MOST", 100)
    mat, b = system(OBSTACLES)
    with pytest.raises(InputError, match="every rank would hold a box of 4096 cells"):
        solved(mat, b, "ours", Directions("", network=Answer("zeros")))
