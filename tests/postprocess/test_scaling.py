"""``plexus-post scaling``: series, the fitted model, marks and files."""

import csv
import json

import numpy as np
import pytest

from plexus_post.cli import main
from plexus_post.scaling.model import columns, fit, nonnegative
from plexus_post.scaling.study import analyse

TRUE = np.array([2e-5, 0.03, 4e-4])


def model_time(ranks, unknowns, dim=3):
    return float(columns(np.array([ranks]), np.array([unknowns]), dim)[0] @ TRUE)


def write(folder, ranks, unknowns, *, cores=64, status="done", seconds=None, **more):
    """A run folder that only tells its times."""
    folder.mkdir(parents=True)
    work = seconds or model_time(ranks, unknowns)
    phases = {"start-up": 2.0, "solve": 0.75 * work, "output": 0.25 * work, "other": 0.1}
    row = {"ranks": "0", "count": ranks, "host": "a", "host_cores": cores, "crowded": ranks > cores}
    content = {
        "status": status, "exit_code": 0, "ranks": ranks, "unknowns": unknowns, "steps": 4,
        "wall_seconds": work + 2.1, "mesh": {"dim": 3},
        "phases": {n: {"longest": s, "mean": s, "calls": 1} for n, s in phases.items()},
        "solver": {"u": {"total": 40}}, "placement": [row],
    } | more  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def sweep(tmp_path):
    """Strong: 1e6 unknowns on 1 to 8 ranks; weak: 2.5e5 per rank; 8 ranks on 4 cores."""
    for ranks in (1, 2, 4, 8):
        slow = 3.0 if ranks > 4 else 1.0
        seconds = slow * model_time(ranks, 10**6)
        write(tmp_path / "s" / f"member_{ranks:04d}", ranks, 10**6, cores=4, seconds=seconds)
    for ranks in (1, 2):
        write(tmp_path / "s" / f"member_10{ranks:02d}", ranks, 250_000 * ranks, cores=4)
    write(tmp_path / "s" / "member_2000", 2, 10**6, status="failed")
    return tmp_path / "s"


def test_known_coefficients_are_found():
    points = [(p, n) for p in (1, 2, 4, 8, 64) for n in (10**4, 10**6)]
    p, n = zip(*points, strict=True)
    model = fit(p, n, [model_time(*x) for x in points], 3)
    assert model.coefficients == pytest.approx(TRUE)
    assert model.residual < 1e-9 and model.freedom == 7
    far = model.time(np.array([10_000]), np.array([10**9]))
    assert far == pytest.approx(model_time(10_000, 10**9))


def test_coefficients_are_never_negative():
    # faster than ideal: the terms that cost something must vanish
    model = fit([1, 2, 4], [1000] * 3, [1.0, 0.45, 0.2], 3)
    assert (model.coefficients >= 0).all() and model.coefficients[1:].max() == 0
    matrix = np.random.default_rng(1).normal(size=(12, 3))
    found = nonnegative(matrix)
    assert (found >= 0).all()
    # no direction inside the bounds leads down: the conditions of Kuhn and Tucker
    slope = matrix.T @ (matrix @ found - 1)
    assert (slope > -1e-9).all() and np.abs(slope[found > 0]).max(initial=0) < 1e-9


def test_series_marks_and_fit(sweep):
    study = analyse([sweep])
    kinds = {(s.kind, s.size): [p.ranks for p in s.points] for s in study.series}
    assert kinds[("strong", 10**6)] == [1, 2, 4, 8]
    assert kinds[("weak", 250_000)] == [1, 2, 4]
    assert [p.crowded for p in study.points if p.unknowns == 10**6] == [False, False, False, True]
    # the crowded point is wrong by a factor of three and must not spoil the fit
    assert study.model.residual < 1e-9
    assert "more ranks than cores: 8 ranks" in study.notes
    assert any("1 run left out" in n for n in study.notes)


def test_one_command_makes_plot_table_and_model(sweep, capsys):
    assert main(["scaling", str(sweep)]) == 0
    text = capsys.readouterr().out
    assert "more ranks than cores" in text and "relative residual" in text and "assumes:" in text
    assert (sweep / "scaling.png").stat().st_size > 10_000
    content = json.loads((sweep / "scaling.json").read_text())
    strong = next(s for s in content["series"] if s["kind"] == "strong" and s["size"] == 10**6)
    assert strong["predicted"]["ranks"][-1] == 10_000
    assert strong["predicted"]["seconds"][-1] == pytest.approx(model_time(10_000, 10**6))
    assert {"assumptions", "residual", "coefficients"} <= set(content["model"])
    rows = list(csv.DictReader((sweep / "scaling.csv").open()))
    assert len(rows) == 6 and float(rows[0]["model_seconds"]) == pytest.approx(float(rows[0]["seconds"]))


def test_runs_can_be_named_one_by_one(tmp_path, capsys):
    folders = [str(write(tmp_path / f"run{n}", n, 10**5)) for n in (1, 2, 4)]
    assert main(["scaling", *folders, "-o", str(tmp_path / "out"), "--to", "256"]) == 0
    content = json.loads((tmp_path / "out" / "scaling.json").read_text())
    assert content["series"][0]["predicted"]["ranks"][-1] == 256


def test_what_makes_runs_hard_to_compare_is_told(tmp_path):
    write(tmp_path / "a", 1, 10**5, placement=None)
    write(tmp_path / "b", 2, 10**5, steps=9, solver={"u": {"total": 400}}, core_wait_seconds=1.0)
    notes = "\n".join(analyse([tmp_path]).notes)
    for part in (
        "do not tell their placement",
        "number of steps",
        "iterations per step vary",
        "degrees of freedom",
        "other programs shared the machine",
    ):
        assert part in notes


def test_too_few_runs_are_refused(tmp_path, capsys):
    write(tmp_path / "a", 1, 10**5)
    assert main(["scaling", str(tmp_path)]) == 2
    assert "at least two numbers of ranks" in capsys.readouterr().err
    assert main(["scaling", str(tmp_path / "none")]) == 2
