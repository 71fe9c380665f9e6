"""Preconditioners in Python: convergence, counts, life time, and which Krylov methods bear them."""

import gc
import weakref

import numpy as np
import pytest
from petsc4py import PETSc

from plexus import registry
from plexus.deck.load import load
from plexus.deck.params import Field, Params
from plexus.errors import DeckError
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.preconditioners.chebyshev import ChebyshevContext, largest_row
from plexus.solvers.shells import install

PEAK = 0.0736713  # of -Δu = 1 on the unit square
BOX = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [32, 32]}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
"""
MARCHING = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 6]}
physics: {type: diffusion, coefficient: "1 + 0.5*u^2", source: 1}
boundary: [{on: exterior, u: 0}]
time: {stepper: bdf2, end: 1 s, step: 0.02 s}
solver: {u: {ksp: cg, preconditioner: chebyshev, on_failure: {preconditioner: lu}}}
"""


def solved(make_run, block: str, text: str = BOX):
    """Return a finished run and the record of its last solve."""
    run = make_run(text, f"solver.u={block}")
    run.execute()
    return run, run.system.solvers["u"].records[-1]


# --- the polynomial ---


def stiffness(n: int = 12) -> PETSc.Mat:
    """Return the matrix of -u'' with a coefficient that grows, which is not a multiple of its diagonal."""
    k = 1.0 + np.arange(n + 1) / n
    dense = np.diag(k[:-1] + k[1:]) - np.diag(k[1:-1], 1) - np.diag(k[1:-1], -1)
    mat = PETSc.Mat().createAIJ((n, n), nnz=3, comm=PETSc.COMM_SELF)
    for i, j in zip(*np.nonzero(dense), strict=True):
        mat.setValue(i, j, dense[i, j])
    mat.assemble()
    return mat


@pytest.mark.parametrize("degree", [1, 2, 5, 9])
def test_eigenvectors_are_damped_by_the_chebyshev_polynomial(degree):
    mat, ratio = stiffness(), 20.0
    dense = mat.convert("dense").getDenseArray()
    pc = PETSc.PC().create(PETSc.COMM_SELF)
    pc.setOperators(mat)
    owner = Params()
    install(pc, ChebyshevContext(degree, ratio), owner)
    pc.setUp()
    x, y = mat.createVecs()
    columns = np.empty_like(dense)
    for j in range(len(dense)):
        x.setArray(np.eye(len(dense))[j])
        pc.apply(x, y)
        columns[:, j] = y.getArray()
    eigen, modes = np.linalg.eig(dense / np.diag(dense)[:, None])
    high = np.max(np.abs(dense).sum(axis=1) / np.diag(dense))
    low = high / ratio
    cheb = np.polynomial.chebyshev.Chebyshev.basis(degree)
    left = cheb((high + low - 2 * eigen) / (high - low)) / cheb((high + low) / (high - low))
    # I - M A has the eigenvectors of D⁻¹ A and the eigenvalues of the error polynomial
    assert np.allclose(modes - columns @ dense @ modes, left * modes, atol=1e-12)
    assert np.allclose(columns, columns.T, atol=1e-13)


def test_no_eigenvalue_passes_the_bound():
    mat = stiffness(40)
    dense = mat.convert("dense").getDenseArray()
    inverse = mat.createVecRight()
    mat.getDiagonal(inverse)
    inverse.reciprocal()
    top = np.max(np.linalg.eigvals(dense / np.diag(dense)[:, None]).real)
    assert top <= largest_row(mat, inverse) <= 1.1 * top


def test_convergence_beside_jacobi_and_multigrid(make_run):
    count = {}
    for name in ("jacobi", "chebyshev", "gamg"):
        run, info = solved(make_run, f"{{ksp: cg, preconditioner: {name}, rtol: 1e-10}}")
        assert next(iter(run.state.values.values())).max() == pytest.approx(PEAK, rel=2e-3)
        count[name] = info.iterations
    # four terms stand for up to four steps of CG on the diagonally scaled system, with a quarter of its sums
    assert count["jacobi"] / 4 <= count["chebyshev"] <= count["jacobi"] / 2.5
    assert count["gamg"] < count["chebyshev"]


def test_more_terms_take_fewer_iterations(make_run):
    blocks = [
        f"{{ksp: cg, preconditioner: {{type: chebyshev, degree: {k}, ratio: 100}}}}" for k in (1, 2, 4, 8)
    ]
    counts = [solved(make_run, block)[1].iterations for block in blocks]
    assert counts == sorted(counts, reverse=True) and counts[-1] < counts[0] / 4


# --- counts ---


def test_applications_and_set_up_are_counted_where_there_is_a_context(make_run):
    run, info = solved(make_run, "{ksp: cg, preconditioner: chebyshev}")
    told = run.system.solvers["u"].tally.summary()
    assert told["applications"] == info.applications
    assert info.iterations <= info.applications <= info.iterations + 1
    assert told["setup_seconds"] > 0
    assert run.ctx.timers.calls["preconditioner"] >= 1
    assert run.ctx.timers.calls["krylov"] == 1


def test_without_a_context_nothing_is_added_to_the_summary(make_run):
    run, _ = solved(make_run, "{ksp: cg, preconditioner: jacobi}")
    keys = {"solves", "total", "mean", "max", "newton", "fallbacks"}
    assert set(run.system.solvers["u"].tally.summary()) == keys


@pytest.mark.parametrize("lag", ["", ", options: {snes_lag_preconditioner: 2}"])
def test_marching_with_petsc_ts_counts_too(make_run, lag):
    text = MARCHING.replace("bdf2", "{type: petsc_ts, ts: bdf}").replace("chebyshev,", f"chebyshev{lag},")
    run = make_run(text)
    run.execute()
    told = run.system.solvers["u"].tally.summary()
    assert told["applications"] >= told["total"] > 0


# --- fallbacks and life time ---


def test_fallback_from_and_to_a_context(make_run):
    first = "{ksp: cg, preconditioner: chebyshev, max_iterations: 2, on_failure: {preconditioner: lu}}"
    run, info = solved(make_run, first)
    assert info.fallback == 1 and info.applications is None
    assert run.state.values["u"].max() == pytest.approx(PEAK, rel=2e-3)
    chain = "{ksp: cg, preconditioner: jacobi, max_iterations: 2, on_failure: {preconditioner: chebyshev}}"
    run, info = solved(make_run, chain)
    assert info.fallback == 1 and info.applications > 0
    assert run.state.values["u"].max() == pytest.approx(PEAK, rel=2e-3)


def test_one_context_serves_all_solves_and_goes_with_its_solver(make_run, monkeypatch):
    made, freed = [], []
    start, end = ChebyshevContext.__init__, ChebyshevContext.destroy
    monkeypatch.setattr(
        ChebyshevContext, "__init__", lambda c, *a: (made.append(weakref.ref(c)), start(c, *a))[1]
    )
    monkeypatch.setattr(ChebyshevContext, "destroy", lambda c, pc: (freed.append(id(c)), end(c, pc))[1])
    run = make_run(MARCHING)
    run.execute()
    solver = run.system.solvers["u"]
    assert len(made) == 1 and id(made[0]()) not in freed
    vectors, own = made[0]()._vectors, id(made[0]())
    assert len(vectors) == 4
    solver.attempts.clear()
    del solver.current
    gc.collect()
    assert freed.count(own) == 1 and not vectors
    assert made[0]() is None


def test_setting_up_many_times_makes_no_vector_and_holds_no_matrix(make_run):
    run = make_run(MARCHING)
    run.execute()
    solver = run.system.solvers["u"]
    shell, pc = solver.attempts[0].shells[0], solver.attempts[0].snes.getKSP().getPC()
    things = [*shell.__dict__["_context"]._vectors, solver.form.matrix.mat]
    before = [(thing.handle, thing.refcount) for thing in things]
    for _ in range(200):
        shell.setUp(pc)
    after = [*shell.__dict__["_context"]._vectors, solver.form.matrix.mat]
    assert [(thing.handle, thing.refcount) for thing in after] == before


# --- preconditioners that vary ---


class MoodyParams(Params):
    """Parameters of a preconditioner that is another one in every application."""

    swing: float = Field(0.5, ge=0, lt=1, description="how far the scale swings")


class Moody(PreconditionerBase):
    """Scales the diagonal by another factor per entry in each application."""

    varies = True

    def context(self, target):
        return MoodyContext(self.params.swing)


class MoodyContext:
    """Its scale depends on how often it was called."""

    def __init__(self, swing):
        self.swing, self.calls = swing, 0

    def setUp(self, pc):
        self.diagonal = pc.getOperators()[1].getDiagonal()

    def apply(self, pc, x, y):
        self.calls += 1
        start, end = x.getOwnershipRange()
        scale = 1 + self.swing * np.sin(1.7 * np.arange(start, end) * self.calls)
        y.setArray(x.getArray(readonly=True) * scale / self.diagonal.getArray(readonly=True))


@pytest.fixture
def moody():
    registry.register("preconditioner", "moody", MoodyParams)(Moody)
    yield
    registry.forget("preconditioner", "moody")


@pytest.mark.parametrize(
    ("text", "method"),
    [(BOX, "fcg"), (BOX.replace("coefficient: 1", "coefficient: [[1, 0.3], [0, 1]]"), "fgmres")],
)
def test_the_flexible_method_is_chosen_where_the_deck_leaves_it_open(make_run, moody, text, method):
    run, info = solved(make_run, "{preconditioner: moody, rtol: 1e-10}", text)
    assert run.system.solvers["u"].attempts[0].snes.getKSP().getType() == method
    u = run.state.values["u"]
    exact, _ = solved(make_run, "{preconditioner: lu, ksp: preonly}", text)
    assert np.abs(u - exact.state.values["u"]).max() < 1e-8
    assert info.applications >= info.iterations


@pytest.mark.parametrize("method", ["gmres", "cg", "richardson", "preonly"])
@pytest.mark.parametrize(
    ("block", "place"),
    [
        ("{{ksp: {0}, preconditioner: moody}}", "solver.u.ksp"),
        ("{{preconditioner: moody, options: {{ksp_type: {0}}}}}", "solver.u.options.ksp_type"),
        (
            "{{preconditioner: lu, on_failure: {{ksp: {0}, preconditioner: moody}}}}",
            "solver.u.on_failure.ksp",
        ),
    ],
)
def test_check_refuses_methods_that_need_a_fixed_preconditioner(tmp_path, moody, method, block, place):
    path = tmp_path / "deck.yaml"
    path.write_text(BOX + f"solver:\n  u: {block.format(method)}\n")
    with pytest.raises(DeckError) as caught:
        load(str(path))
    text = str(caught.value)
    assert (
        f"{path}:7:" in text
        and f"{place}: moody changes" in text
        and "write fgmres, or, where the matrix is symmetric, fcg" in text
    )
    path.write_text(BOX + f"solver:\n  u: {block.format('fgmres')}\n")
    assert load(str(path)).solver["u"]
