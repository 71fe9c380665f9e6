"""Sweeps of trainings: one table, the best bundle beside its rival, a failing member, data computed once."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plexus import cli, driver
from plexus.bundles import store
from plexus.deck.load import load
from plexus.errors import DeckError, InputError
from plexus.learning.figures import figures
from plexus.sweep import folder as folders
from plexus.sweep.best import best, verdict
from plexus.sweep.status import Status, status
from plexus.tasks import Request, named

BASE = """
plexus: 1
mesh: {type: periodic, cells: [16, 16], size: [5, 5]}
physics: {type: active_fluid, order: 1, alpha: -3, zeta: 1}
closure: {type: spin_network, moment: 2, width: 8, depth: 1, precision: fp64}
time: {stepper: sbdf2, end: 4, step: 0.05}
train:
  data:
    type: kinetic
    cases: [{alpha: -3, zeta: 1, seed: 1}]
    moments: 6
    frames: {start: 0.5, end: 1, every: 0.25}
  stages: [{type: fit, steps: 20, batch: 128, optimizer: {type: adam, rate: 0.02}}]
  validation: {type: kinetic, cases: [{alpha: -3, zeta: 1, seed: 2}, {alpha: -2, zeta: 1, seed: 2}]}
"""
SIX = """sweep:
  run: train
  workers: 2
  parameters:
    closure.width: [4, 8, 16]
    train.seed: [1, 2]
"""
BROKEN = 3
"""The member that is made to fail: somebody's file has the name of its bundle."""


def write(folder: Path, sweep: str = SIX, base: str = BASE) -> Path:
    path = folder / "deck.yaml"
    path.write_text(base + sweep)
    return path


def sweep(path: Path, folder: Path, *more: str) -> subprocess.CompletedProcess:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "PMI_"))}
    command = [sys.executable, "-m", "plexus", "sweep", path, "-o", folder, *more]
    return subprocess.run(list(map(str, command)), env=own, capture_output=True, text=True, timeout=900)


def summary(folder: Path, index: int) -> dict:
    return json.loads((folder / f"member_{index:04d}" / "summary.json").read_text())


def error(folder: Path, index: int) -> float:
    """Return the mean relative error of a member on its validation."""
    rows = summary(folder, index)["validation"]
    return sum(row["value"] for row in rows) / len(rows)


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    """A sweep of two seeds and three widths of which one member fails; with what the command said."""
    place = tmp_path_factory.mktemp("six")
    path, folder = write(place), place / "s"
    folders.prepare(load(path), folder)
    (folder / f"member_{BROKEN:04d}" / "bundle.safetensors").write_text("somebody's")
    return path, folder, sweep(path, folder)


def test_one_table_names_the_best_bundle_and_the_failing_member(six):
    path, folder, said = six
    assert said.returncode == 2, said.stdout + said.stderr
    good = [n for n in range(6) if n != BROKEN]
    assert [n for n in range(6) if status(folder / f"member_{n:04d}").state == "done"] == good
    least = min(good, key=lambda n: error(folder, n))
    bundle = folder / f"member_{least:04d}" / "bundle.safetensors"
    assert f"best bundle: {bundle}, sha256 {hashlib.sha256(bundle.read_bytes()).hexdigest()}" in said.stdout
    assert f"best by validation: member {least} " in said.stdout
    assert store.load(bundle).metadata["training"]["seed"] == 1 + least % 2
    lines = said.stdout.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("member  "))
    for name in ("width", "seed", "loss", "validation", "rival", "steps", "bundle", "seconds"):
        assert f" {name} " in lines[head]
    row = lines[head + 2 + least].split()
    loss = summary(folder, least)["quantities"]["loss.0"]
    assert [f"{loss:.4g}", f"{error(folder, least):.4g}"] == row[3:5] and "20" in row
    # the column is as wide as the table lets it be, the path of the folder as long as the machine has it
    assert f"folder {folder / f'member_{BROKEN:04d}'}: bundle" in lines[head + 2 + BROKEN]
    assert f"plexus sweep {path} -o {folder} --failed" in said.stdout


def test_data_that_members_share_are_computed_once(six):
    _, folder, _ = six
    assert len(list(folder.glob("data-*.h5"))) == 3
    logs = "".join(p.read_text() for p in folder.glob("member_*/log.txt"))
    runs = [line for line in logs.splitlines() if "kinetic run alpha" in line]
    assert len(runs) == 5 * 3 and sum("of another member" not in line for line in runs) == 3


def test_a_member_is_the_training_alone(six, tmp_path):
    """Also of what it reads: the frames that another member has computed are the same to the last bit."""
    _, folder, _ = six
    path, out = write(tmp_path, ""), tmp_path / "alone"
    words = ["closure.width=16", "train.seed=2"]
    assert driver.perform(Request(path, words, out), named("train")) == 0
    alone, member = json.loads((out / "summary.json").read_text()), summary(folder, 5)
    assert alone["quantities"] == member["quantities"] and alone["validation"] == member["validation"]


def test_the_failing_member_is_run_again_alone(six):
    path, folder, _ = six
    before = {n: (folder / f"member_{n:04d}/summary.json").stat().st_mtime_ns for n in range(6)}
    (folder / f"member_{BROKEN:04d}" / "bundle.safetensors").unlink()
    said = sweep(path, folder, "--failed")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "1 to run" in said.stdout and "6 members: 6 done" in said.stdout
    after = {n: (folder / f"member_{n:04d}/summary.json").stat().st_mtime_ns for n in range(6)}
    assert [n for n in range(6) if after[n] != before[n]] == [BROKEN]


def test_another_figure_chooses_another_best(six, capsys):
    path, folder, _ = six
    good = [n for n in range(6) if status(folder / f"member_{n:04d}").state == "done"]
    least = min(good, key=lambda n: summary(folder, n)["quantities"]["loss.0"])
    given = ["sweep", str(path), "-o", str(folder), "--list", "-s"]
    assert cli.main([*given, "sweep.best=loss"]) == 0
    assert f"best by loss: member {least} " in capsys.readouterr().out
    assert cli.main([*given, "sweep.best=validation.f9 relative MSE"]) == 2
    assert "there are loss, loss.0, rival, rival.S:T relative MSE" in capsys.readouterr().err


def done(*rows: tuple[str, float, dict[str, float]], **quantities: float) -> Status:
    table = [{"case": {}, "metric": m, "value": v, "baselines": b} for m, v, b in rows]
    return Status("done", 0, summary={"validation": table, "quantities": quantities})


def test_figures_are_means_beside_the_rival_that_is_best_in_the_mean():
    found = figures(done(("a", 1.0, {"x": 2, "y": 5}), ("a", 3.0, {"x": 4, "y": 0}),
                         ("b", 8.0, {"x": 9, "y": 1}), **{"loss.0": 7, "loss.1": 6}).summary)  # fmt: skip
    whole, one = found["validation"], found["validation.a"]
    assert (whole.value, whole.rival, whole.beside, whole.worse) == (4, "y", 2, True)
    assert (one.value, one.rival, one.beside, one.worse) == (2, "y", 2.5, False)
    assert found["loss"].value == 6 and found["loss"].beside is None


def test_the_best_is_told_where_it_is_no_better_than_its_rival(tmp_path):
    made = folders.prepare(load(write(tmp_path)), tmp_path / "s")
    nan = float("nan")
    states = {0: done(("a", nan, {"x": 1})), 1: done(("a", 2, {"x": 1})), 2: done(("a", 3, {"x": 1})),
              3: Status("failed", 3, summary=done(("a", 0, {"x": 1})).summary)}  # fmt: skip
    assert best(states, "validation") == 1
    assert "warning: the best member is no better than x, which needs no training" in verdict(
        made, states, "validation"
    )
    good = states | {2: done(("a", 0.5, {"x": 1}))}
    assert verdict(made, good, "validation") == [
        "best by validation: member 2 (closure.width = 8, train.seed = 1): 0.5, x 1, ratio 0.5"
    ]
    states[1].summary["validation"][0]["fallback"] = 0.6
    assert verdict(made, states, "validation")[-1].startswith(
        "warning: up to 60 % of a validation of the best"
    )
    with pytest.raises(InputError, match=r"no member has a figure 'validation\.b'"):
        best(states, "validation.b")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "run: train\n  seeds: 2\n  best: validatoin",
            3,
            "no figure 'validatoin'; did you mean",
        ),
        ("run: train\n  seeds: 2\n  best: loss.1", 3, "no figure 'loss.1'"),
        ("run: train\n  seeds: 2\n  best: q", 3, "a training has no figure 'q'"),
        ("seeds: 2\n  best: q", 2, "the deck has no quantity 'q'"),
        ("run: trian\n  seeds: 2", 1, "'trian' is not valid here"),
        (
            "run: train\n  seeds: 2\n  parameters: {closure.width: [4, 8]}\n  search: {trials: 3}",
            1,
            "seeds and ranks belong to other modes",
        ),
        ("parameters: {closure.width: [4, 8]}\n  search: {trials: 3}", 2, "needs `best`"),
        ("parameters: {closure.width: [4, 8]}\n  mode: grid\n  search: {trials: 3}", 1, "draws its first"),
        ("parameters: {closure.width: [4, 8]}\n  samples: 4\n  search: {trials: 3}", 1, "more than the 3"),
        ("run: train\n  parameters: {closure.widht: [4, 8]}", 2, "did you mean 'closure.width'"),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path, text, line, message):
    path = write(tmp_path, f"sweep:\n  {text}\n")
    with pytest.raises(DeckError) as found:
        folders.check(load(path))
    first = BASE.count("\n") + 1 + line
    assert f"{path}:{first}:" in str(found.value) and message in str(found.value)


def test_a_sweep_of_trainings_needs_a_training(tmp_path):
    base = BASE.partition("train:")[0]
    with pytest.raises(DeckError, match=r"sweep\.run: train needs a block `train`"):
        load(write(tmp_path, "sweep: {run: train, seeds: 2}\n", base))


@pytest.mark.parametrize("more", [["--train"], []])
def test_submit_makes_an_array_of_trainings(tmp_path, capsys, more):
    path = write(tmp_path)
    assert cli.main(["submit", str(path), "--profile", "cpu", "--print", *more]) == 0
    text = capsys.readouterr().out
    assert "#SBATCH --array=0-5%2" in text and '--member "$SLURM_ARRAY_TASK_ID"' in text


def test_submit_runs_a_search_in_one_job(tmp_path, capsys):
    search = SIX + "  search: {trials: 12}\n"
    assert cli.main(["submit", str(write(tmp_path, search)), "--profile", "cpu", "--print"]) == 0
    text = capsys.readouterr().out
    assert "--array" not in text and "command=(sweep " in text and "--member" not in text


def test_submit_of_trainings_refuses_a_sweep_of_runs(tmp_path, capsys):
    path = write(tmp_path, SIX.replace("run: train", "run: run"))
    assert cli.main(["submit", str(path), "--train", "--profile", "cpu", "--print"]) == 2
    assert "`sweep: {run: train}` trains them" in capsys.readouterr().err
