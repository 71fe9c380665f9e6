"""Going back to an older checkpoint, a damaged newest one, and a training that goes on with another deck."""

import json
from pathlib import Path

import h5py
import pytest
from case_runs import RANKS, command, copied

CASE = "40_restarts"
SLOW = ("-s", "boundary[0].convection.coefficient=100 W/(m^2 K)")
LEFT = ("bundle.safetensors", "deck.yaml", "summary.json", "series.h5", "training.safetensors")
KEEP = ("-s", "output[2].keep=9")


def plexus(here: Path, ranks: int, *arguments: str) -> str:
    """Run the deck into the folder ``out`` and return what it said."""
    code, said = command(here, "run", "deck.yaml", "-o", "out", *arguments, ranks=ranks)
    assert code == 0 and "Traceback" not in said, said
    return said


def names(folder: Path) -> list[int]:
    """Return the steps of the checkpoints in a folder."""
    return sorted(int(path.stem.partition("_")[2]) for path in folder.glob("checkpoint_*.h5"))


def steps(folder: Path) -> list[int]:
    """Return the steps in the histories of a folder."""
    with h5py.File(folder / "series.h5") as file:
        return file["quantities/step"][:].tolist()


def core(folder: Path) -> float:
    """Return the temperature at the end."""
    return json.loads((folder / "summary.json").read_text())["quantities"]["core"]


@pytest.mark.parametrize("ranks", RANKS)
def test_a_branch_from_an_older_checkpoint_is_not_overruled(ranks, tmp_path):
    """Later checkpoints of the run that was left would win over those of the branch, and lose it its own."""
    here = copied(CASE, tmp_path)
    plexus(here, ranks, *KEEP)
    out, left = here / "out", here / "out/previous/1"
    assert names(out) == [10, 20, 30, 40]
    before = core(out)
    branch = (
        "--restart",
        "out/checkpoint_00000010.h5",
        *SLOW,
        "-s",
        "time.step=2.5 s",
        "-s",
        "time.end=30 s",
    )
    said = plexus(here, ranks, *branch)
    assert f"were moved to {Path('out/previous/1')}" in said and "checkpoint_00000040.h5" in said
    # 8 steps of 2.5 s follow on step 10, and the last one writes a checkpoint
    assert names(out) == [10, 18] and names(left) == [20, 30, 40]
    assert steps(out)[-1] == 18 and steps(left)[-1] == 40 and (left / "fields.vtkhdf").exists()
    assert core(left) == before
    with h5py.File(out / "checkpoint_00000018.h5") as file:
        lineage = json.loads(file["plexus/facts"][()])["facts"]["lineage"]
    with h5py.File(left / "checkpoint_00000020.h5") as file:
        parent = json.loads(file["plexus/facts"][()])["facts"]["lineage"]
    assert lineage["before"] == [[parent["name"], 10]] and lineage["name"] != parent["name"]
    # bare: the newest of the branch
    said = plexus(here, ranks, "--restart", *SLOW, "-s", "time.step=2.5 s", "-s", "time.end=34 s")
    assert "restart from out/checkpoint_00000018.h5 at step 18, t = 30 s" in said
    assert not (out / "previous/2").exists()
    whole = copied(CASE, tmp_path / "whole")
    plexus(whole, 1, "-s", "time.end=10 s")
    plexus(whole, 1, "--restart", *SLOW, "-s", "time.step=2.5 s", "-s", "time.end=34 s")
    assert core(out) == pytest.approx(core(whole / "out"), rel=1e-9)


@pytest.mark.parametrize("ranks", RANKS)
def test_a_damaged_newest_checkpoint_is_skipped(ranks, tmp_path):
    here = copied(CASE, tmp_path)
    plexus(here, ranks)
    with (here / "out/checkpoint_00000040.h5").open("r+b") as file:
        file.seek(4096)
        file.write(bytes(4096))
    said = plexus(here, ranks, "--restart", "-s", "time.end=45 s")
    assert "checkpoint_00000040.h5: the file is damaged" in said and "trying the one before" in said
    assert "restart from out/checkpoint_00000030.h5 at step 30" in said
    assert "were moved to out/previous/1" in said
    whole = copied(CASE, tmp_path / "whole")
    plexus(whole, 1, "-s", "time.end=45 s")
    assert core(here / "out") == pytest.approx(core(whole / "out"), rel=1e-9)


def test_a_training_does_not_go_on_with_another_deck(tmp_path):
    here = copied(CASE, tmp_path)
    assert command(here, "train", "train_before.yaml", "-o", "out")[0] == 0
    before = {name: (here / "out" / name).read_bytes() for name in LEFT}
    code, said = command(here, "train", "train_after.yaml", "-o", "out", "--restart")
    assert code == 2 and "Traceback" not in said
    for words in (
        "train_after.yaml:9:52: train.data.cases[1].alpha: -2.0 -> -5.0",
        "train_after.yaml:13:26: train.stages[0].steps: 150 -> 100000: stage 1 is done with the other",
        "begins anew, without --restart",
    ):
        assert words in said
    # what is refused leaves the training as it was
    assert {name: (here / "out" / name).read_bytes() for name in LEFT} == before
