"""``kill -9`` at a random moment of a training: what it leaves is that of the undisturbed one, bit for bit.

``PLEXUS_KILLS=20 pytest -s tests/restart/test_kills_of_trainings.py`` kills 20 times, the kinds in turn
(default: once, of the kind that the seed chooses); ``PLEXUS_KINDS="cells,Fourier"`` takes those alone whose
names have one of these words. ``PLEXUS_SEED`` repeats the moments as far as the machine allows. Each process
of a training, of the launcher too, may be the one that is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from kills import SEED, await_silence, clean_environment, processes

from plexus.bundles import store
from plexus.io import fitted
from plexus.learning import memo

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/learning"))
import controlled

COUNT = int(os.environ.get("PLEXUS_KILLS", "1"))
MOMENTS = (Path(__file__).parents[1] / "cases/decks/40_restarts/train_before.yaml").read_text()
STRESS = """
plexus: 1
mesh: {type: periodic, cells: [8, 8], size: [5, 5]}
physics: {type: active_fluid, order: 1, alpha: -3, zeta: 1}
closure: {type: tensor_basis, width: 6, depth: 1, precision: fp64}
time: {stepper: sbdf2, end: 4, step: 0.02}
train:
  data:
    type: runs
    deck: reference.yaml
    vary: {parameters: {initial.u: [0.2, 0.4, 0.5]}}
    times: {start: 0, end: 0.2, every: 0.05}
    fields:
      c: {name: 1 + u, unit: 1/m^2}
      f1: {name: u, imaginary: 0.1*u, unit: 1/m^2}
      e: {name: u, imaginary: x, unit: 1/s}
      st: {name: u^2, imaginary: x, unit: 1/(m^2 s)}
      trace: {name: u, unit: 1/(m^2 s)}
  stages:
    - {type: fit, steps: 8, batch: 64}
    - {type: fit, steps: 6, optimizer: {type: lbfgs, iterations: 4}}
    - {type: fit, steps: 8, optimizer: levenberg_marquardt}
  validation: {type: runs, vary: {parameters: {initial.u: [0.3]}}}
"""
ADAM_LBFGS = (
    "train.stages=[{type: fit, steps: 6, batch: all},"
    " {type: fit, steps: 3, optimizer: {type: lbfgs, iterations: 3}}]"
)
UNROLLED = (
    "train.stages=[{type: active, rounds: 2, acquire: 2, steps: 5, batch: 128},"
    " {type: unrolled, steps: 6, unroll: [1, 4], batch: 2}]"
)
ONE, TWO = (("-n", ranks, "-s", ADAM_LBFGS) for ranks in "12")
PARTS = (*TWO, "-s", "train.ranks.per_sample=2")
KINDS = {
    "second order": ((STRESS,), ("-n", "1")),
    "unrolled": ((MOMENTS,), ("-n", "1", "-s", UNROLLED)),
    "unrolled on two": ((MOMENTS,), ("-n", "2", "-s", UNROLLED)),
    "runs in turn": ((controlled.DECK,), TWO),
    "runs in parts": ((controlled.DECK,), PARTS),
    "runs on cells": (controlled.on_cells("ssp_rk"), PARTS),
    "runs on cells, alone": (controlled.on_cells("ssp_rk"), ONE),
    "runs on cells, implicit": (controlled.on_cells("theta"), ONE),
    "runs in Fourier space": (controlled.in_fourier_space(), PARTS),
    "runs in Fourier space, alone": (controlled.in_fourier_space(), ONE),
}
"""Decks and words: Adam, L-BFGS, Levenberg-Marquardt, rounds, roll-outs, ranks that take or cut samples."""
WANTED = os.environ.get("PLEXUS_KINDS", "").split(",")


def started(name: str, folder: Path) -> subprocess.Popen[str]:
    """Begin a training in a folder, or go on with it where it has a checkpoint, as a person would."""
    texts, words = KINDS[name]
    folder.mkdir(exist_ok=True)
    controlled.written(folder, *texts)
    again = ["--restart"] if (folder / "out" / memo.NAME).exists() else []
    command = [sys.executable, "-m", "plexus", "train", "deck.yaml", "-o", "out", *words]
    with open(folder / "said.txt", "a") as said:
        return subprocess.Popen(
            [*command, "-s", "train.checkpoint=0 s", *again],
            cwd=folder, env=clean_environment(), stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip


def ended(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait for the end of a training that nobody disturbs."""
    assert process.wait(1200) == 0, (folder / "said.txt").read_text()


def killed(process: subprocess.Popen[str], folder: Path, dice: random.Random) -> bool:
    """Kill one of the processes of a training; return whether there was one. The others end, too."""
    there = sorted(processes(folder)) if process.poll() is None else []
    if there:
        with suppress(ProcessLookupError):
            os.kill(dice.choice(there), signal.SIGKILL)
    await_silence(folder)
    return bool(there) and process.wait() != 0


def data_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Return file and hash of the data that a training has computed, by name."""
    found = {path.name: path for path in (folder / "out").glob("data-*.h5")}
    return {n: (p.stat().st_ino, hashlib.sha256(p.read_bytes()).hexdigest()) for n, p in found.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a function: kind -> folder of a training that was not disturbed, and its length [s]."""
    known: dict[str, tuple[Path, float]] = {}

    def of(name: str) -> tuple[Path, float]:
        if name not in known:
            folder, begin = tmp_path_factory.mktemp("whole") / name, time.monotonic()
            ended(started(name, folder), folder)
            known[name] = folder, time.monotonic() - begin
        return known[name]

    return of


@pytest.mark.parametrize("number", range(COUNT))
def test_killed_at_a_random_moment(number, whole, tmp_path):
    names = [name for name in KINDS if any(word in name for word in WANTED)]
    name = names[(number + SEED) % len(names)]
    reference, length = whole(name)
    dice, here, hits = random.Random(f"{SEED} {number}"), tmp_path / "killed", 0
    computed: dict[str, tuple[int, str]] = {}
    # every third training is killed once more, when it goes on
    for _ in range(2 if number % 3 == 1 else 1):
        process = started(name, here)
        time.sleep(length * dice.uniform(0.1, 1.0))
        hits += killed(process, here, dice)
        assert computed.items() <= data_of(here).items()
        computed = data_of(here)
    ended(started(name, here), here)
    print(f"\n{name}: {hits} kills (seed {SEED})")
    assert computed.items() <= data_of(here).items(), "data were computed again"
    assert_same(here, reference)


def assert_same(here: Path, reference: Path) -> None:
    """Compare data, history, validation, counts and weights to the last bit."""
    sums = [{name: found[1] for name, found in data_of(folder).items()} for folder in (here, reference)]
    assert sums[0] == sums[1]
    with h5py.File(here / "out/series.h5") as mine, h5py.File(reference / "out/series.h5") as other:
        assert set(mine["training"]) == set(other["training"])
        for column in set(mine["training"]) - {"time"}:
            np.testing.assert_array_equal(mine["training"][column][:], other["training"][column][:])
    told = [json.loads((folder / "out/summary.json").read_text()) for folder in (here, reference)]
    for key in ("status", "steps", "frames", "quantities", "validation"):
        assert told[0].get(key) == told[1].get(key), key
    one, two = (weights(folder / "out") for folder in (here, reference))
    assert one.keys() == two.keys() and all((one[key] == two[key]).all() for key in two)


def weights(out: Path) -> dict[str, np.ndarray]:
    """Return the weights that a training has left."""
    if (out / "controls.h5").exists():
        return {"k": fitted.read(out / "controls.h5", "k")[0]}
    return {key: value.numpy() for key, value in store.load(out / "bundle.safetensors").weights.items()}
