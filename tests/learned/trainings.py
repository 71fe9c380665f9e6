"""A training that takes seconds, and ways to start it."""

import json
from pathlib import Path

import crew

from plexus import driver
from plexus.deck.load import load
from plexus.tasks import Request, named

DECK = """
plexus: 1
mesh: {type: periodic, cells: [32, 32], size: [5, 5]}
physics: {type: active_fluid, order: 2, alpha: -3, zeta: 1}
closure: {type: spin_network, moment: 3, width: 16, depth: 2, precision: fp64}
time: {stepper: sbdf2, end: 40, step: 0.02}
train:
  data:
    type: kinetic
    cases: [{alpha: -3, zeta: 1, seed: 1}, {alpha: -3, zeta: 1, seed: 3}, {alpha: -3, zeta: 1, seed: 4}]
    moments: 12
    frames: {start: 5, end: 9, every: 0.5}
  stages: [{type: fit, steps: 500, batch: 1024}]
  validation: {type: kinetic, cases: [{alpha: -3, zeta: 1, seed: 2}]}
"""


def deck(folder: Path, *overrides: str, text: str = DECK):
    """Return a loaded deck."""
    path = folder / "deck.yaml"
    path.write_text(text)
    return load(path, overrides)


def train(
    folder: Path, *overrides: str, name: str = "out", restart: str | None = None, text: str = DECK
) -> Path:
    """Train in this process and return the run folder."""
    (folder / "deck.yaml").write_text(text)
    request = Request(folder / "deck.yaml", overrides, folder / name, restart)
    code = driver.perform(request, named("train"))
    assert code in (0, 75)
    return folder / name


def on_ranks(folder: Path, ranks: int, *overrides: str) -> Path:
    """Train on several ranks and return the run folder."""
    (folder / "deck.yaml").write_text(DECK)
    words = [w for o in overrides for w in ("-s", o)]
    out = folder / f"ranks{ranks}"
    ended = crew.plexus(folder, "train", "deck.yaml", "-o", str(out), *words, ranks=ranks)
    assert ended.code == 0, ended.err
    return out


def summary(folder: Path) -> dict:
    """Return the summary of a training."""
    return json.loads((folder / "summary.json").read_text())


def losses(folder: Path) -> list[float]:
    """Return the history of the loss."""
    import h5py

    with h5py.File(folder / "series.h5") as file:
        return list(file["training/loss"][:])
