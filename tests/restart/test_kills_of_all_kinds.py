"""``kill -9`` at a random moment of a march or a branch: the end is that of the undisturbed one.

``PLEXUS_KILLS=15 pytest -s tests/restart/test_kills_of_all_kinds.py`` kills 45 times (default: once each);
``PLEXUS_SEED`` repeats the moments as far as the machine allows.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from kills import SEED, checkpoint_in
from memory_decks import CYCLES, ELSEWHERE, ENRICHED
from test_counts import learned, told

from plexus.io import checkpoint

sys.path.insert(0, str(Path(__file__).parents[1] / "parallel"))
from crew import clean_environment

COUNT = int(os.environ.get("PLEXUS_KILLS", "1"))
RIGHT = {"enriched": 1e-10}
"""Relative tolerance by kind, 1e-12 of all others."""
CASE = Path(__file__).parents[1] / "cases/decks/40_restarts"
MARCH = """\
time: {stepper: sbdf2, end: 0.8, step: 0.01}
quantities: {order: {type: mean, of: order}}
output: [{type: checkpoint, every: 7 steps}, {type: series, every: 1 steps}, {type: fields, every: 9 steps}]
"""
BRANCH = ("-s", "boundary[0].convection.coefficient=100 W/(m^2 K)")


@dataclass(frozen=True)
class Kind:
    """A way to use the program: its deck, and the words that begin it and go on with it."""

    deck: str
    words: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    tables: tuple[str, ...] = ("quantities",)


TRANSIENT = (CASE / "deck.yaml").read_text()
KINDS = {
    "transient": Kind(TRANSIENT, ("-s", "time.step=0.25 s")),
    "closure": Kind(learned("[32, 32]", MARCH)),
    "cycles": Kind(CYCLES, tables=("quantities", "cycles/cycles")),
    "enriched": Kind(ENRICHED, ELSEWHERE, tables=("quantities", "rom")),
    "branch": Kind(
        TRANSIENT, ("-s", "time.step=0.25 s", *BRANCH), ("--restart", "out/checkpoint_00000040.h5")
    ),
}  # fmt: skip


def started(kind: Kind, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the program in a folder."""
    (folder / "deck.yaml").write_text(kind.deck)
    command = [sys.executable, "-m", "plexus", "run", "deck.yaml", "-o", "out", *kind.words, *arguments]
    with open(folder / "said.txt", "a") as said:
        return subprocess.Popen(command, cwd=folder, env=clean_environment(), stdout=said, stderr=said)


def ended(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait for the end of a run that nobody disturbs."""
    assert process.wait() == 0, (folder / "said.txt").read_text()


@pytest.fixture(scope="module")
def trunk(tmp_path_factory) -> Path:
    """Return the folder of a finished march, from whose past branches go on."""
    folder = tmp_path_factory.mktemp("trunk")
    keep = ("-s", "output[2].keep=99")
    ended(started(KINDS["transient"], folder, *keep), folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Return the folder with a reduced model."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "deck.yaml").write_text(ENRICHED)
    command = [sys.executable, "-m", "plexus", "reduce", "deck.yaml", "-o", "made"]
    subprocess.run(command, cwd=folder, env=clean_environment(), check=True, capture_output=True)
    return folder / "made"


@pytest.fixture
def stock(request: pytest.FixtureRequest, name: str) -> Path | None:
    """Return the folder from which a kind begins, None where it begins with its deck."""
    made = {"branch": "trunk", "enriched": "model"}.get(name)
    return request.getfixturevalue(made) if made else None


def place(name: str, folder: Path, stock: Path | None) -> Path:
    """Return a new folder in which a kind begins."""
    if name == "branch":
        shutil.copytree(stock, folder)
    else:
        folder.mkdir()
    if name == "enriched":
        shutil.copy(stock / "rom.h5", folder)
    return folder


def again(name: str, out: Path, stock: Path | None) -> tuple[str, ...]:
    """Return the words with which a person begins or goes on, by what is in the run folder."""
    newest = max(out.glob("checkpoint_*.h5"), default=None)
    if name == "branch" and newest is not None and checkpoint.step_of(newest) > 40:
        # as long as something later of the trunk is there, the branch has not begun
        of_trunk = checkpoint.line_of(stock / "out/checkpoint_00000040.h5")
        return KINDS[name].first if checkpoint.line_of(newest) == of_trunk else ("--restart",)
    return ("--restart",) if newest else ()


@pytest.mark.parametrize("name", KINDS)
def test_killed_at_a_random_moment(name, stock, tmp_path):
    kind, folder = KINDS[name], place(name, tmp_path / "whole", stock)
    begin = time.monotonic()
    ended(started(kind, folder, *kind.first), folder)
    length, kills, whole = time.monotonic() - begin, 0, folder / "out"
    for k in range(COUNT):
        dice, here = random.Random(f"{SEED} {name} {k}"), place(name, tmp_path / str(k), stock)
        # every third run is killed once more, when it goes on
        for _ in range(2 if k % 3 == 1 else 1):
            process = started(kind, here, *again(name, here / "out", stock))
            time.sleep(length * dice.uniform(0.2, 1.0))
            kills += process.poll() is None
            process.kill()
            code = process.wait()
        if code != 0:
            ended(started(kind, here, *again(name, here / "out", stock)), here)
        assert_same(name, here / "out", whole)
        shutil.rmtree(here)
    print(f"\n{name}: {COUNT} runs, {kills} kills (seed {SEED})")


def assert_same(name: str, out: Path, whole: Path) -> None:
    """Compare counts, histories, fields of cycles, and the last state."""
    right = RIGHT.get(name, 1e-12)
    for key, value in told(whole).items():
        assert told(out)[key] == value, key
    with h5py.File(out / "series.h5") as mine, h5py.File(whole / "series.h5") as other:
        for table in KINDS[name].tables:
            assert set(mine[table]) == set(other[table])
            for column, values in mine[table].items():
                np.testing.assert_allclose(values[:], other[table][column][:], rtol=right, atol=1e-12)
    for path in sorted(whole.glob("cycles*.vtkhdf")):
        with h5py.File(out / path.name) as mine, h5py.File(path) as other:
            for field, values in other["VTKHDF/CellData"].items():
                np.testing.assert_allclose(mine["VTKHDF/CellData"][field][:], values[:], rtol=right)
    mine, other = (sorted(f.glob("checkpoint_*.h5"))[-1] for f in (out, whole))
    assert mine.name == other.name
    one, two = (checkpoint_in(path).arrays for path in (mine, other))
    assert one.keys() == two.keys()
    for key, array in two.items():
        scale = float(np.abs(array).max(initial=0.0))
        np.testing.assert_allclose(one[key], array, rtol=right, atol=right * scale, err_msg=key)
