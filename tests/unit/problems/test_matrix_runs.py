"""Runs of linear systems: what is solved and shown, and how solves that must fail end."""

import h5py
import numpy as np
import pytest
from crew import plexus

from plexus.errors import GuardError, InputError, SolveError
from plexus_post.cli import main as show

DECK = """
plexus: 1
physics: {type: matrix, problem: PROBLEM}
solver: {u: {ksp: cg, rtol: 1e-8, preconditioner: jacobi}}
"""
CHANNELS = DECK.replace("PROBLEM", "{type: channels, cells: [8, 8, 8], seed: 2000, contrast: 100}")
MOVING = DECK.replace("PROBLEM", "{type: moving_obstacle, cells: [8, 8, 8], duration: 4 s}") + (
    "time: {stepper: quasistatic, end: 4 s, step: 1 s}\n"
    "output: [{type: fields, every: 1 steps, fields: [u, solid]}, "
    "{type: checkpoint, every: 1 steps, keep: 9}]\n"
    "quantities: {norm: {type: norm, of: u}, low: {type: minimum, of: u}}\n"
)
HEAD = "%%MatrixMarket matrix coordinate real general\n"


def of_file(folder, entries, n, solver="ksp: cg", more=""):
    """Return the deck of a matrix that is written into a folder."""
    rows = "".join(f"{i} {j} {a!r}\n" for i, j, a in entries)
    (folder / "a.mtx").write_text(f"{HEAD}{n} {n} {len(entries)}\n{rows}")
    return DECK.replace("PROBLEM", f"{{type: file, file: {folder}/a.mtx{more}}}").replace("ksp: cg", solver)


def test_the_matrix_carries_what_multigrid_asks_for(make_run):
    run = make_run(CHANNELS)
    run.execute()
    (solver,), form = run.system.solvers.values(), run.system.form
    mat = form.matrix.mat
    places = mat.query("plexus_positions")
    assert places.getBlockSize() == 3 and mat.getBlockSize() == 1
    assert (places.getArray().reshape(-1, 3) == np.indices((8, 8, 8)).reshape(3, -1).T).all()
    assert mat.isSymmetricKnown() == (True, True) and mat.getNearNullSpace().hasConstant()
    left = np.linalg.norm(form.residual(0.0, run.state.values["u"], None, {}))
    assert left <= 1e-8 * np.linalg.norm(form.system.rhs) and solver.tally.fallbacks == 0


def test_a_guess_shortens_the_way_not_the_goal(make_run):
    cold, warm = (make_run(MOVING.replace("output", "about: {} #").replace("end: 4", f"end: {e}"))
                  for e in (4, 4))  # fmt: skip
    cold.execute()
    for state in warm.march():
        form = warm.system.form
        left = np.linalg.norm(form.residual(state.t, state.values["u"], None, {}))
        assert left <= 1e-8 * form.load()
    # the sphere rests from now on, and so does the solution
    assert warm.system.solve("u", {"u": warm.state.values["u"]}, _at(9.0)) == 0


def _at(t):
    from plexus.protocols import Instant

    return Instant(t)


def test_a_line_through_the_last_two_solutions_is_a_guess(make_run):
    previous, linear = (make_run(MOVING.replace("stepper: quasistatic", f"stepper: {s}")) for s in
                        ("quasistatic", "{type: quasistatic, guess: linear}"))  # fmt: skip
    for run in (previous, linear):
        run.execute()
    assert np.allclose(previous.state.values["u"], linear.state.values["u"], atol=1e-8)


def test_the_preconditioner_of_the_first_matrix_serves_the_sequence(make_run):
    solver = "preconditioner: icc, preconditioner_from: rest"
    fresh, frozen = (
        make_run(MOVING.replace("preconditioner: jacobi", s)) for s in ("preconditioner: icc", solver)
    )
    for run in (fresh, frozen):
        run.execute()
    assert np.allclose(fresh.state.values["u"], frozen.state.values["u"], atol=1e-8)
    (solver,) = frozen.system.solvers.values()
    mat, reference = solver.current.snes.getKSP().getOperators()
    assert mat == frozen.system.form.matrix.mat and reference != mat
    assert reference.query("plexus_positions").getBlockSize() == 3


def test_cells_show_solution_and_solids(tmp_path):
    (tmp_path / "deck.yaml").write_text(MOVING)
    assert plexus(tmp_path, "run", "deck.yaml", "-o", "out").code == 0
    with h5py.File(tmp_path / "out/fields.vtkhdf") as file:
        u, solid = (file[f"VTKHDF/CellData/{name}"][:].reshape(-1, 512) for name in ("u", "solid"))
    assert len(u) == 5 and (u[1:][solid[1:] == 1] == 0).all()
    assert (solid[0] != solid[-1]).any() and (u[1:][solid[1:] == 0] != 0).all()


def test_a_restart_goes_on_as_the_whole_run(tmp_path):
    (tmp_path / "deck.yaml").write_text(MOVING)
    assert plexus(tmp_path, "run", "deck.yaml", "-o", "out").code == 0
    again = ("run", "deck.yaml", "-o", "again", "--restart", "out/checkpoint_00000002.h5")
    assert plexus(tmp_path, *again).code == 0
    with (
        h5py.File(tmp_path / "out/checkpoint_00000004.h5") as a,
        h5py.File(tmp_path / "again/checkpoint_00000004.h5") as b,
    ):
        found = [next(np.array(d) for n, d in _sets(f) if n.endswith("state/u")) for f in (a, b)]
    assert (found[0] == found[1]).all() and abs(found[0]).max() > 0


def _sets(file):
    found = []
    file.visititems(lambda name, d: found.append((name, d)) if isinstance(d, h5py.Dataset) else None)
    return found


def test_quantities_leave_solid_cells_out(make_run):
    deck = DECK.replace("PROBLEM", "{type: plates, cells: [8, 8, 8]}")
    more = "quantities: {fluid: {type: integral, of: '1'}, top: {type: maximum, of: 'u - 100'}, "
    more += "there: {type: value, of: u, at: [0.9, 0.9, 0.9]}}\n"
    run = make_run(deck + more)
    run.execute()
    values, layout = run.values(), run.system.form.layout
    assert values["fluid"] == pytest.approx(layout.n_owned / 512)
    assert values["top"] == run.state.values["u"].max() - 100
    cell = np.flatnonzero((layout.positions == 7).all(axis=1))
    assert values["there"] == run.state.values["u"][cell[0], 0]
    with pytest.raises(InputError, match=r"\(0.5, 0.5, 0.7\) lies in a cell without an unknown"):
        make_run(deck + more.replace("0.9, 0.9, 0.9", "0.5, 0.5, 0.7"))


def test_unknowns_without_a_place_are_points(tmp_path, capsys):
    deck = of_file(tmp_path, [(i, i, float(i)) for i in (1, 2, 3, 4)], 4)
    deck += "quantities: {second: {type: value, of: u, at: [1]}}\noutput: [{type: fields}]\n"
    (tmp_path / "deck.yaml").write_text(deck)
    assert plexus(tmp_path, "run", "deck.yaml", "-o", "out").code == 0
    with h5py.File(tmp_path / "out/fields.vtkhdf") as file:
        assert (file["VTKHDF/Points"][:, 0] == np.arange(4)).all()
        expected = np.random.default_rng(1).standard_normal(4) / np.arange(1, 5)
        assert np.allclose(file["VTKHDF/PointData/u"][:], expected)
    out = str(tmp_path / "out")
    assert show(["info", out]) == 0 and show(["plot", out]) == 0
    assert show(["plot", out, "--fields", "u"]) == 2
    assert "fields on points have no picture" in capsys.readouterr().err


def test_blocks_on_a_grid_are_vectors(tmp_path, make_run):
    deck = of_file(tmp_path, [(i, i, 2.0) for i in range(1, 9)], 8, more=", block_size: 2, cells: [2, 2]")
    run = make_run(deck + "quantities: {x: {type: maximum, of: u_x}}\n")
    run.execute()
    assert run.values()["x"] == run.state.values["u"][:, 0].max()
    assert run.system.form.matrix.mat.getBlockSize() == 2


def test_cg_refuses_a_matrix_that_is_not_symmetric(make_run, tmp_path):
    entries = [(1, 1, 2.0), (1, 2, 0.5), (2, 1, 0.6), (2, 2, 2.0)]
    with pytest.raises(InputError, match=r"solver.u.ksp: cg needs .* \(1, 2\) and \(2, 1\) differ by 0.05"):
        make_run(of_file(tmp_path, entries, 2)).execute()
    run = make_run(of_file(tmp_path, entries, 2, solver="ksp: gmres"))
    run.execute()
    assert run.system.solvers["u"].tally.solves == 1


def test_negative_curvature_is_told(make_run, tmp_path):
    entries = [(1, 1, 1.0), (2, 2, -1.0), (3, 3, 2.0)]
    deck = of_file(tmp_path, entries, 3).replace("jacobi", "none")
    with pytest.raises(SolveError, match=r"not positive definite: pᵀA p = -0.\d+ at iteration \d"):
        make_run(deck).execute()


def test_a_fallback_takes_what_cg_cannot(make_run, tmp_path):
    entries = [(1, 1, 1.0), (2, 2, -1.0), (3, 3, 2.0)]
    deck = of_file(tmp_path, entries, 3).replace("jacobi", "none, on_failure: lu")
    run = make_run(deck)
    run.execute()
    assert run.system.solvers["u"].tally.fallbacks == 1
    assert np.allclose(run.state.values["u"][:, 0], run.system.form.system.rhs / [1, -1, 2])


def test_a_fallback_takes_what_a_krylov_method_made_no_number_of(make_run, tmp_path):
    (tmp_path / "b.mtx").write_text("%%MatrixMarket matrix array real general\n1 1\n1.5e154\n")
    deck = of_file(tmp_path, [(1, 1, 2.0)], 1, more=f", rhs: {tmp_path}/b.mtx")
    with pytest.raises(GuardError, match="DIVERGED_NANORINF"):
        make_run(deck).execute()
    run = make_run(deck.replace("jacobi", "jacobi, on_failure: lu"))
    run.execute()
    assert run.state.values["u"][0, 0] == 0.75e154


@pytest.mark.parametrize("load", [1e-60, 1e-150, 1e-170])
def test_small_loads_are_none_the_less_loads(make_run, tmp_path, load):
    """Squares of the smallest vanish inside of PETSc, which then takes zero for the solution."""
    (tmp_path / "b.mtx").write_text(f"%%MatrixMarket matrix array real general\n2 1\n{load}\n{load}\n")
    run = make_run(of_file(tmp_path, [(1, 1, 2.0), (2, 2, 4.0)], 2, more=f", rhs: {tmp_path}/b.mtx"))
    if load > 1e-160:
        run.execute()
        assert np.allclose(run.state.values["u"][:, 0] / load, [0.5, 0.25])
    else:
        with pytest.raises(SolveError, match=r"‖b - A u‖ = 1.41e-170 where 1.41e-178"):
            run.execute()


@pytest.mark.parametrize("method", ["gmres", "bcgs"])
def test_what_single_precision_leaves_is_solved_for_anew(make_run, tmp_path, method):
    line = [(i, j, 2.0 - 3.0 * (i != j)) for i in range(1, 101) for j in (i - 1, i, i + 1) if 0 < j <= 100]
    deck = of_file(tmp_path, line, 100, solver=f"ksp: {method}")
    single = "aggregation, options: {pc_plexus_bits: 32}"
    run = make_run(deck.replace("jacobi", single))
    run.execute()
    form, (info,) = run.system.form, run.system.solvers["u"].drain()
    left = np.linalg.norm(form.residual(0.0, run.state.values["u"], None, {}))
    assert left <= 2e-8 * form.load() and info.iterations < 40
    exact = make_run(deck.replace("jacobi", "aggregation"))
    exact.execute()
    assert exact.system.solvers["u"].tally.iterations < info.iterations


def test_a_load_of_zero_leads_to_zero_from_anywhere(make_run, tmp_path):
    (tmp_path / "b.mtx").write_text("%%MatrixMarket matrix array real general\n3 1\n0\n0\n0\n")
    entries = [(1, 1, 2.0), (1, 2, -0.7), (2, 1, -0.7), (2, 2, 3.0), (2, 3, 0.1), (3, 2, 0.1), (3, 3, 1.0)]
    deck = of_file(tmp_path, entries, 3, more=f", rhs: {tmp_path}/b.mtx").replace("jacobi", "icc")
    run = make_run(deck + "initial: {u: 1}\n")
    run.execute()
    assert abs(run.state.values["u"]).max() < 1e-49


def test_blocks_without_places_are_vectors(make_run, tmp_path):
    run = make_run(of_file(tmp_path, [(i, i, 2.0) for i in range(1, 7)], 6, more=", block_size: 3"))
    run.execute()
    assert run.state.values["u"].shape == (2, 3)
    assert run.system.form.space.points.tolist() == [[0, 0, 0], [1, 0, 0]]


SINGULAR = [(1, 1, 1.0), (1, 2, -1.0), (2, 1, -1.0), (2, 2, 1.0)]


def test_an_incompatible_load_of_a_singular_matrix_is_refused(make_run, tmp_path):
    with pytest.raises(SolveError, match=r"rows add up to zero, and b does not .* there is no solution"):
        make_run(of_file(tmp_path, SINGULAR, 2)).execute()
    # of several parts each is looked at
    two = [(i + k, j + k, a) for k in (0, 2) for i, j, a in SINGULAR]
    with pytest.raises(SolveError, match=r"in rows 1 to 2 \(2 of them\), one of 2 parts"):
        make_run(of_file(tmp_path, two, 4)).execute()


def test_a_compatible_load_of_a_singular_matrix_is_solved(make_run, tmp_path):
    (tmp_path / "b.mtx").write_text("%%MatrixMarket matrix array real general\n2 1\n1\n-1\n")
    run = make_run(of_file(tmp_path, SINGULAR, 2, more=f", rhs: {tmp_path}/b.mtx"))
    run.execute()
    assert np.allclose(run.state.values["u"][:, 0], [0.5, -0.5])


def test_a_row_of_zeros_is_refused(make_run, tmp_path):
    with pytest.raises(InputError, match="nothing determines it at 1 nodes, rows 2 to 2"):
        make_run(of_file(tmp_path, [(1, 1, 1.0), (2, 2, 0.0)], 2)).execute()


def test_a_residual_that_drifted_is_a_failure(make_run, monkeypatch):
    """The Krylov method believes its recurrence; the residual computed anew is what counts."""
    run = make_run(CHANNELS)
    (solver,) = run.system.solvers.values()
    attempt = solver._attempt(0)
    solve = attempt.run

    def spoiled(x, t):
        info = solve(x, t)
        x.scale(1.001)
        return info

    monkeypatch.setattr(attempt, "run", spoiled)
    with pytest.raises(SolveError, match=r"DIVERGED_TRUE_RESIDUAL .* where .* was asked for"):
        run.execute()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("time: {stepper: theta, end: 1 s, step: 1 s}", "time.stepper: theta: a linear system has no time"),
        ("time: {stepper: quasistatic, end: 1 s, step: 1 s}", "time: channels is the same at all times"),
        ("mesh: {type: interval, cells: 3}", "matrix works on the rows of a matrix"),
        ("quantities: {q: {type: maximum, of: v}}", "quantities.q.of: .*v"),
        ("quantities: {q: {type: value, of: u, at: [2, 0, 0]}}", "quantities.q: "),
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path, more, expected):
    import re

    (tmp_path / "deck.yaml").write_text(CHANNELS + more + "\n")
    ended = plexus(tmp_path, "run", "deck.yaml", "-o", "out")
    assert ended.code == 2 and re.search(expected, ended.err), ended.err


def test_what_is_definite_for_sure_goes_to_aggregates_where_it_is_large(make_run):
    deck = "plexus: 1\nphysics: {type: matrix, problem: {type: obstacles, cells: [N, N, N]}}\n"
    for n, expected in (("8", "lu"), ("20", "python")):
        run = make_run(deck.replace("N", n))
        run.execute()
        (solver,) = run.system.solvers.values()
        assert solver.attempts[0].snes.getKSP().getPC().getType() == expected
