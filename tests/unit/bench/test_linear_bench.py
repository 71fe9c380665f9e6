"""The tables of preconditioners: what is in them, what they leave behind, whom they recommend."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from petsc4py import PETSc

from plexus import bench
from plexus.bench import linear
from plexus.bench.linear import beside, growth, methods, report, runs, solves, systems, transfer, whole
from plexus.bench.linear.file import _of_deck, recommended
from plexus.deck.schema import Deck
from plexus.errors import InputError, OutputError

ROWS = ["two_step", "v", "k", "GAMG", "GAMG 0.02", "GAMG ours",
        "BoomerAMG", "BoomerAMG GPU", "BoomerAMG ours", "ML", "PyAMG", "ICC"]  # fmt: skip

ELEMENTS = (
    "plexus: 1\nmesh: {type: box, cell: triangle, cells: [2, 2]}\n"
    "physics: {type: diffusion, coefficient: 1}\nboundary: [{on: left, u: 0}]\n"
)


@pytest.fixture(scope="module")
def channels():
    given = {"cells": [16] * 3, "seed": 1, "contrast": 1e4}
    return systems.of_problem(MPI.COMM_SELF, "channels", (1e4, "contrast"), **given)


@pytest.fixture(scope="module")
def table(channels):
    return solves.table(channels, methods.methods(channels.mat), 2)


def test_every_table_has_every_row_and_all_solve_the_same_system(table):
    names = [s.method for s in table]
    assert [n for n in names if not n.startswith("learned")] == [r for r in ROWS if r in names]
    assert {"GAMG", "GAMG 0.02", "ICC"} <= set(names)
    assert all(s.converged and s.left <= 1e-6 * 1.001 and s.history[-1] <= 1e-6 for s in table)
    assert all(len(s.history) == s.iterations + 1 and s.history[0] == 1 for s in table)


def test_options_leave_the_database(table):
    assert not [name for name in PETSc.Options().getAll() if name.startswith(solves.PREFIX)]


def test_work_counts_the_visits_of_all_levels(table):
    of = {s.method: s for s in table}
    assert of["ICC"].work == 2 * of["ICC"].iterations
    assert of["GAMG"].application == pytest.approx(4 * of["GAMG"].complexity)
    assert 1 < of["v"].complexity < 1.3
    assert of["v"].application == pytest.approx(6 * of["v"].complexity, rel=0.02)
    assert of["v"].application < of["two_step"].application == of["k"].application


def test_a_matrix_that_a_method_refuses_has_a_row_that_says_so(channels):
    mat = channels.mat.copy()
    mat.scale(-1.0)
    got = solves.tried(systems.System("minus", mat, channels.rhs), methods.methods(mat)[0])
    assert not got.converged
    (row,) = report.lines("minus", [got])
    assert row.measured is None
    assert "NOT CONVERGED" in row.peer


def test_what_does_not_converge_holds_no_bound(table):
    few = [s for s in table if s.method == "two_step"]
    assert report.most("x", few, 20).holds
    lost = [*few, solves.Solve("b", "two_step", None, "", 3, False, 1, 1, 0, 0, None, 1, 1, [1.0])]
    assert not report.most("x", lost, 20).holds
    assert not report.average("x", lost, 20).holds


def test_the_fastest_that_solved_is_recommended(table):
    row = recommended(table)
    best = min(table, key=lambda s: s.setup + s.solve)
    assert row.item == f"take {best.method}"
    assert "no method here solved it" in recommended([]).item


def test_an_own_matrix_gets_a_table(tmp_path, monkeypatch, channels):
    path = tmp_path / "own.petsc"
    channels.mat.view(PETSc.Viewer().createBinary(str(path), "w", comm=MPI.COMM_SELF))
    monkeypatch.chdir(tmp_path)
    assert bench.main([f"linear:{path}"]) == 0
    told = json.loads((report.FOLDER / "own.petsc.json").read_text())["solves"]
    assert {"two_step", "ICC"} <= {s["method"] for s in told}
    (rows,) = (json.loads(p.read_text())["rows"] for p in (tmp_path / "runs/bench").glob("*.json"))
    assert rows[-1]["item"].startswith("take ")


def test_a_deck_gives_blocks_and_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.mtx").write_text(matrix({(i, i): 2.0 for i in range(1, 7)}))
    Path("b.mtx").write_text("%%MatrixMarket matrix array real general\n6 1\n" + "2\n" * 6)
    given = "{type: file, file: a.mtx, rhs: b.mtx, block_size: 2, cells: [3, 1]}"
    Path("own.yaml").write_text(f"plexus: 1\nphysics: {{type: matrix, problem: {given}}}\n")
    system = _of_deck("own.yaml")
    assert system.mat.getBlockSize() == 2
    assert np.allclose(system.rhs.getArray(), 2)
    Path("mesh.yaml").write_text(ELEMENTS)
    with pytest.raises(InputError, match="its matrix is that of elements"):
        linear.run("mesh.yaml")


def test_the_load_of_a_singular_matrix_is_balanced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ring = {(i, i): 2.0 for i in range(1, 41)} | {(i, i % 40 + 1): -1.0 for i in range(1, 41)}
    Path("ring.mtx").write_text(matrix(ring | {(j, i): a for (i, j), a in ring.items()}))
    rows = linear.run("ring.mtx")
    assert rows[-1].item.startswith("take ")
    assert "singular" in rows[-3].item
    found = json.loads((report.FOLDER / "ring.mtx.json").read_text())["solves"]
    assert {s["method"]: s["converged"] for s in found}["two_step"]


def test_classes_are_measured_in_processes_of_their_own(tmp_path, monkeypatch):
    """Each process stores its rows; what several say is told once; a full disk is told as such."""
    code = (
        "import json, sys; name = sys.argv[1]; name == 'linear:lost' and sys.exit(4)\n"
        "rows = [{'item': item, 'measured': None, 'unit': ''} for item in ('absent', name)]\n"
        "json.dump({'rows': rows}, open(f'runs/bench/{name}.json'.replace(':', '.'), 'w'))"
    )
    monkeypatch.chdir(tmp_path)
    bench.FOLDER.mkdir(parents=True)
    monkeypatch.setattr(beside, "python", lambda module, *words: [sys.executable, "-c", code, words[-1]])
    rows = beside.measured(["one", "two"], ["three"])
    assert [row.item for row in rows] == ["absent", "linear:one", "linear:two", "linear:three"]
    with pytest.raises(OutputError):
        beside.measured(["lost"])


def test_a_phase_is_charged_without_those_inside(monkeypatch):
    clock, ticks = runs.Clock(), iter([0.0, 1.0, 3.0, 3.5, 10.0, 11.0])
    monkeypatch.setattr(runs.time, "process_time", lambda: next(ticks))
    clock.enter("krylov")
    clock.enter("jacobian")
    clock.leave("jacobian")
    clock.leave("krylov")
    clock.enter("krylov")
    clock.leave("krylov")
    assert clock.seconds == {"krylov": 2.5, "jacobian": 2.0}


@pytest.mark.parametrize("made", [whole._heat, whole._elastic, whole._plastic])
def test_a_run_is_the_same_with_another_line(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = replace(made("small, bricks P1", "grid", 1, whole._bricks(3)), rounds=1)
    seconds, answers = runs.rows(case, runs.measured(case))
    assert seconds.holds == (seconds.measured <= 1.0) and "grid, " in seconds.peer
    assert answers.holds and 0 < answers.measured < 1e-6
    (kept,) = runs.FOLDER.glob("*.yaml")
    assert f"preconditioner: {runs.OURS}" in kept.read_text()


def test_the_median_of_rounds_decides_and_answers_are_compared_in_all_steps():
    def marched(krylov, *values):
        states = [{"u": np.array([value, 2.0])} for value in values]
        return runs.Marched(0.5, krylov, {"total": 3, "newton": 1}, states, 2)

    rounds = [{"aggregation": marched(s, 1.0, 1.0), "hypre": marched(0.5, *v)}
              for s, v in ((0.6, (1.0, 1.0)), (9.5, (1.0, 1.0)), (0.4, (1.1, 1.0)))]  # fmt: skip
    case = whole._elastic("a", "grid", 1, {})
    seconds, answers = runs.rows(case, rounds)
    assert seconds.measured == pytest.approx(1.1) and not seconds.holds
    assert runs.rows(replace(case, kind="Gmsh"), rounds)[0].holds
    assert answers.measured == pytest.approx(0.05) and not answers.holds


def test_runs_are_not_measured_where_their_meshes_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (row,) = runs.runs()[1]
    assert row.measured is None and "input_decks" in row.peer


def test_the_decks_of_runs_hold(monkeypatch):
    """Each is checked as a user's is, on both meshes."""
    monkeypatch.chdir(Path(__file__).parents[3])
    for case in whole.cases():
        data = case.deck("aggregation")
        deck = Deck.from_plain({"data": data, "path": "a.yaml", "origins": {}, "overrides": []})
        assert deck.solver_for(case.unknown).rtol == whole.RTOL


def matrix(entries):
    lines = [f"{i} {j} {a}" for (i, j), a in entries.items()]
    n = max(i for i, _ in entries)
    return "\n".join(["%%MatrixMarket matrix coordinate real general", f"{n} {n} {len(lines)}", *lines, ""])


def test_bad_names_and_matrices_are_refused(tmp_path):
    with pytest.raises(InputError, match="neither a file nor one of channels"):
        linear.run("chanels")
    path = tmp_path / "skew.mtx"
    path.write_text("%%MatrixMarket matrix coordinate real general\n2 2 4\n1 1 1\n1 2 1\n2 1 0.5\n2 2 1\n")
    with pytest.raises(InputError, match=r"\(1, 2\) and \(2, 1\) differ.*needs a symmetric matrix"):
        linear.run(str(path))
    path.write_text("nothing")
    with pytest.raises(InputError, match="neither MatrixMarket"):
        linear.run(str(path))


@pytest.mark.parametrize("deck", [systems.tetrahedra(4, 1e4), systems.bricks(3, 1e3)])
def test_matrices_of_elements_come_from_decks(deck):
    system = systems.of_deck(MPI.COMM_SELF, "mesh", deck)
    assert system.mat.isSymmetric(1e-12 * system.mat.norm())
    assert system.rhs.norm() > 0
    assert all(s.converged for s in solves.table(system, methods.methods(system.mat)))


def test_solutions_of_ranks_are_compared():
    one = solves.Solve("obstacles 8^3", "two_step", 1, "ranks", 5, True, 1, 1, 0, 0, None, 0, 1, [1.0])
    rows = list(growth._alike("obstacles", [one, one], {1: np.ones(3), 2: np.ones(3) + 1e-6}))
    assert [r.holds for r in rows] == [True, False]


def test_where_learning_does_harm_is_told():
    row = transfer.line("channels", [(5, 5), (6, 5)])
    assert row.measured == pytest.approx(1.1)
    assert row.peer == "5.50, without 5.00, +1 at most, HURTS 1 of 2"


def test_every_class_has_its_function():
    from importlib import import_module

    for name, module in linear.PARTS.items():
        assert callable(getattr(import_module(f"plexus.bench.linear.{module}"), name))
