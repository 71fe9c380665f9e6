"""Which checkpoint a restart takes, which are this run's own, and what happens to the others."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from mpi4py import MPI
from test_damage import DECK

from plexus import driver
from plexus.io import checkpoint
from plexus.io.lineage import Lineage

KEEP = ["output[0].keep=9"]


@pytest.fixture
def done(tmp_path):
    """Folder of a finished run of four steps with a checkpoint of each."""
    (tmp_path / "deck.yaml").write_text(DECK)
    assert driver.run(tmp_path / "deck.yaml", KEEP, tmp_path / "out") == 0
    return tmp_path


def lineage(path: Path) -> dict:
    with h5py.File(path) as file:
        return json.loads(file["plexus/facts"][()])["facts"]["lineage"]


def steps(folder: Path) -> list[int]:
    return sorted(checkpoint.step_of(path) for path in folder.glob("checkpoint_*.h5"))


def test_a_run_owns_its_past_up_to_where_it_left_it():
    run = Lineage("c", (("b", 20), ("a", 10)))
    assert run.owns("c", 99) and run.owns("b", 20) and run.owns("a", 10)
    assert not (run.owns("b", 21) or run.owns("a", 11) or run.owns("d", 1))
    branch = run.branch(30, MPI.COMM_SELF)
    assert branch.before == (("c", 30), *run.before) and branch.name not in "abc"
    assert Lineage.of({"lineage": branch.plain()}) == branch
    assert Lineage.of({}) == Lineage()


def test_pruning_counts_and_deletes_the_runs_own_only(tmp_path):
    ids = {"nodes": np.arange(3)}
    content = checkpoint.Content({}, {"a": np.ones((3, 1))}, {"a": "nodes"})
    for step, name in ((1, "me"), (2, "other"), (3, "me"), (4, "me"), (5, "other")):
        checkpoint.write(checkpoint.name(tmp_path, step), MPI.COMM_SELF, ids, content, name)
    checkpoint.prune(tmp_path, MPI.COMM_SELF, 2, Lineage("me").owns)
    assert steps(tmp_path) == [2, 3, 4, 5]
    assert [p.name[-4] for p in checkpoint.candidates(tmp_path, MPI.COMM_SELF)] == ["5", "4", "3", "2"]


def test_going_on_is_the_same_run_and_going_back_another(done):
    out = done / "out"
    own = lineage(out / "checkpoint_00000004.h5")
    assert driver.run(done / "deck.yaml", [*KEEP, "time.end=0.5 s"], out, "latest") == 0
    assert lineage(out / "checkpoint_00000005.h5") == own and not (out / "previous").exists()
    back = [*KEEP, "time.end=0.3 s"]
    assert driver.run(done / "deck.yaml", back, out, str(out / "checkpoint_00000002.h5")) == 0
    assert steps(out) == [1, 2, 3] and steps(out / "previous/1") == [3, 4, 5]
    branch = lineage(out / "checkpoint_00000003.h5")
    assert branch["before"] == [[own["name"], 2]]
    # back to the run that was left
    left = out / "previous/1/checkpoint_00000005.h5"
    assert driver.run(done / "deck.yaml", ["time.end=0.6 s"], done / "again", str(left)) == 0
    assert lineage(done / "again/checkpoint_00000006.h5")["before"] == [[own["name"], 5]]


def test_a_dry_run_moves_nothing(done):
    out = done / "out"
    before = {p: p.read_bytes() for p in out.iterdir()}
    assert driver.run(done / "deck.yaml", KEEP, out, str(out / "checkpoint_00000002.h5"), dry=True) == 0
    assert {p: p.read_bytes() for p in out.iterdir()} == before


def test_what_only_looks_like_a_checkpoint_is_passed_over(done, capsys):
    out = done / "out"
    (out / "checkpoint_00000004 (copy).h5").write_bytes(b"copy")
    (out / "checkpoint_00000099.h5").mkdir()
    assert driver.run(done / "deck.yaml", ["time.end=0.5 s"], out, "latest") == 0
    told = capsys.readouterr().out
    assert "checkpoint_00000099.h5: this is not a file; trying the one before" in told
    assert "restart from " in told and "at step 4" in told
    assert (out / "previous/1/checkpoint_00000099.h5").is_dir()


@pytest.mark.parametrize("missing", ["run", "deck", "clock", "stepper"])
def test_facts_that_are_missing_are_a_sentence(missing, done, capsys):
    path = done / "out/checkpoint_00000004.h5"
    with h5py.File(path) as file:
        ids = {key: data[:] for key, data in file["ids"].items()}
    content = checkpoint.read(path, MPI.COMM_SELF, ids)
    content.facts.pop(missing, None) or content.facts["run"].pop(missing)
    checkpoint.write(path, MPI.COMM_SELF, ids, content)
    with pytest.raises(SystemExit, match="2"):
        driver.run(done / "deck.yaml", [], done / "out", str(path))
    assert (
        f"the checkpoint does not tell what a restart needs (KeyError: '{missing}')"
        in capsys.readouterr().err
    )


def test_a_refused_restart_leaves_deck_and_summary_as_they_were(done):
    out = done / "out"
    before = {name: (out / name).read_bytes() for name in ("deck.yaml", "summary.json", "series.h5")}
    with pytest.raises(SystemExit, match="2"):
        driver.run(done / "deck.yaml", ["mesh.cells=[2, 2]"], out, "latest")
    assert {name: (out / name).read_bytes() for name in before} == before
