"""Learned closures in a run: checked before it, watched in it, replaced by their fallback where they fail."""

import hashlib
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from plexus import driver, registry
from plexus.bundles import store
from plexus.deck.load import load
from plexus.errors import DeckError
from plexus.protocols import Setting
from plexus.run import rescue

DECK = """\
plexus: 1
mesh: {type: periodic, cells: [16, 16], size: [10, 10]}
physics: {type: active_fluid, order: 1, alpha: -3, zeta: 1}
closure:
  type: spin_network
  checkpoint: net.safetensors
  sha256: HASH
  guard: {outside: fallback, max_fraction: 0.01, patience: 20}
time: {stepper: sbdf2, end: 1.5 s, step: 0.01 s}
quantities: {speed: {type: norm, of: velocity_x}, order: {type: mean, of: order}}
output:
  - {type: fields, every: 25 steps, fields: [order, velocity, fallback]}
  - {type: checkpoint, every: 50 steps, keep: 9}
"""


def bundle(folder: Path, *, weight: float | None = None, dt: list[float] | None = None) -> str:
    """Write ``net.safetensors``, an untrained network, with all weights set if asked; return its hash."""
    component = registry.component("closure", "spin_network")
    closure = component.cls(component.params(moment=2, width=4))
    closure.prepare(Setting({"zeta": 1.0, "d_R": 0.05}))
    random = torch.Generator().manual_seed(1)
    real = torch.rand(2, 500, dtype=torch.float64, generator=random)
    f1, e = torch.complex(0.6 * real[0], 0.6 * real[1]), torch.complex(6 * real[1] - 3, 6 * real[0] - 3)
    fields = {"c": torch.ones(500, dtype=torch.float64), "f1": f1, "e": e, "W": e.real}
    box, weights = closure.range_of(fields, 1.0), closure.network.state_dict()
    for tensor in weights.values() if weight is not None else ():
        tensor.fill_(weight)
    data = {"generator": "test", "version": "1", "filter": None, "frames": 1, "points": 500, "seeds": [1]}
    ranges = {"alpha": (-5.0, -1.0), "zeta": (0.3, 1.0)}
    parameters = {name: {"low": a, "high": b, "unit": "1/s"} for name, (a, b) in ranges.items()}
    told = {
        "training": {**data, "seed": 0, "deck": {}, "parameters": parameters},
        "domain": {"cells": [8, 8], "size": [1, 1], "unit": "m", "end_points": [False, False]},
        "stepping": {"dt": dt, "integrator": "sbdf2"},
        "validation": [],
        "licence": "none",
    }
    return store.save(
        folder / "net.safetensors", closure.describe(box) | told, weights, closure.golden(fields)
    )


def deck(folder: Path, **more) -> Path:
    path = folder / "deck.yaml"
    path.write_text(DECK.replace("HASH", bundle(folder, **more)))
    return path


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def shown(folder: Path, name: str) -> np.ndarray:
    with h5py.File(folder / "fields.vtkhdf") as file:
        return file[f"VTKHDF/PointData/{name}"][:]


def test_a_sound_closure_is_watched_and_the_run_is_done(tmp_path):
    out = tmp_path / "out"
    assert driver.run(deck(tmp_path), ["time.end=0.5 s"], out) == 0
    found = summary(out)
    assert found["status"] == "done" and found["guards"]["replaced"] == []
    assert found["guards"]["closure"]["steps"] == 50 and found["guards"]["closure"]["outside"] == 0
    with h5py.File(out / "series.h5") as file:
        assert set(file["closure"]) > {"outside", "mean_outside"}
        assert np.abs(file["monitor/mass"][:]).max() < 1e-12


def test_corrupt_weights_end_as_degraded_with_finite_fields(tmp_path, capsys):
    path, out = deck(tmp_path, weight=float("nan")), tmp_path / "out"
    assert driver.run(path, folder=out) == 0
    found = summary(out)
    assert (found["status"], found["exit_code"]) == ("degraded", 0)
    assert "gave way to its fallback" in found["guards"]["replaced"][0]
    assert "warning: at t =" in capsys.readouterr().out
    for name in ("order", "velocity"):
        assert np.isfinite(shown(out, name)).all()
    assert driver.run(path, ["closure=bingham"], tmp_path / "classical") == 0
    classical = summary(tmp_path / "classical")["quantities"]
    assert found["quantities"] == pytest.approx(classical, rel=1e-10)


def test_fallback_cells_are_written_as_a_field(tmp_path):
    out = tmp_path / "out"
    assert driver.run(deck(tmp_path, weight=float("nan")), ["time.end=0.25 s"], out) == 0
    assert (shown(out, "fallback")[-17 * 17 :] == 1).all()


def test_a_guard_that_shall_stop_ends_the_run_with_code_5(tmp_path, capsys):
    path = deck(tmp_path, weight=float("nan"))
    with pytest.raises(SystemExit) as end:
        driver.run(path, ["closure.guard.outside=stop"], tmp_path / "out")
    assert end.value.code == 5
    assert "guard.outside is stop" in capsys.readouterr().err
    assert summary(tmp_path / "out")["status"] == "failed"


@pytest.fixture
def broken_at(monkeypatch):
    """Let the closure return infinite values from one evaluation on, past its guard."""
    cls = registry.component("closure", "spin_network").cls
    good, calls = cls.evaluate, [0]

    def break_at(number):
        def evaluate(self, fields):
            calls[0] += 1
            out = good(self, fields)
            if calls[0] < number or self.guard.using_fallback:
                return out
            return {k: v * float("inf") for k, v in out.items()}

        monkeypatch.setattr(cls, "evaluate", evaluate)

    return break_at


def test_a_lost_state_goes_back_to_the_last_checkpoint_with_the_fallback(tmp_path, broken_at):
    broken_at(130)
    path, out = deck(tmp_path), tmp_path / "out"
    assert driver.run(path, folder=out) == 0
    found = summary(out)
    assert (found["status"], found["steps"]) == ("degraded", 150)
    assert "went back to checkpoint_00000" in found["guards"]["replaced"][0]
    assert driver.run(path, ["closure=bingham"], tmp_path / "classical") == 0
    assert found["quantities"] == pytest.approx(summary(tmp_path / "classical")["quantities"], rel=1e-10)
    with h5py.File(out / "series.h5") as file:
        np.testing.assert_array_equal(file["quantities/step"][:], np.arange(0, 151, 10))
    with h5py.File(out / "fields.vtkhdf") as file:
        n = file["VTKHDF/Steps"].attrs["NSteps"]
        np.testing.assert_array_equal(file["plexus/step"][:n], range(0, 151, 25))


def test_a_lost_state_passes_over_the_checkpoint_of_another_run(tmp_path, broken_at, monkeypatch):
    path, out, other = deck(tmp_path), tmp_path / "out", tmp_path / "other"
    assert driver.run(path, ["closure=bingham", "physics.alpha=-2", "time.end=1 s"], other) == 0
    broken_at(130)
    original = rescue.rescue

    def meanwhile(run, why):
        shutil.copy(other / "checkpoint_00000100.h5", out / "checkpoint_00000120.h5")
        return original(run, why)

    monkeypatch.setattr(rescue, "rescue", meanwhile)
    assert driver.run(path, folder=out) == 0
    found = summary(out)
    assert "went back to checkpoint_00000100.h5" in found["guards"]["replaced"][0]
    assert (out / "previous/1/checkpoint_00000120.h5").exists()
    assert driver.run(path, ["closure=bingham"], tmp_path / "classical") == 0
    assert found["quantities"] == pytest.approx(summary(tmp_path / "classical")["quantities"], rel=1e-10)


ADAPTIVE = ["time.stepper=imex_rk", "time.adaptive={tolerance: 1e-4, min: 1e-4, max: 0.02}"]


@pytest.mark.parametrize("change", [[], ADAPTIVE], ids=["fixed steps", "adaptive steps"])
def test_without_a_checkpoint_it_begins_anew(tmp_path, broken_at, change):
    broken_at(40)
    path, out = deck(tmp_path), tmp_path / "out"
    assert driver.run(path, change, out) == 0
    found = summary(out)
    assert found["status"] == "degraded" and "began anew" in found["guards"]["replaced"][0]
    assert driver.run(path, ["closure=bingham", *change], tmp_path / "classical") == 0
    assert found["quantities"] == pytest.approx(summary(tmp_path / "classical")["quantities"], rel=1e-10)


def test_a_restart_remembers_that_the_closure_gave_way(tmp_path):
    path, out = deck(tmp_path, weight=float("nan")), tmp_path / "out"
    assert driver.run(path, ["time.end=1 s"], out) == 0
    assert driver.run(path, [], out, restart="latest") == 0
    found = summary(out)
    assert found["status"] == "degraded" and len(found["guards"]["replaced"]) == 1
    assert found["guards"]["closure"]["steps"] == 32


def problems(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(DeckError) as error:
        load(path, overrides)
    return str(error.value).splitlines()


def test_what_does_not_fit_the_bundle_is_told_before_the_run(tmp_path):
    path = deck(tmp_path, dt=[0.002, 0.01])
    load(path)
    found = problems(path, "physics.order=2")
    assert found == [
        f"{path}:5:9: closure.type: spin_network gives f_2, for physics.order 1; order 2 needs f_3"
    ]
    text = "the closure was trained up to 0.01, the run has 0.02"
    assert problems(path, "time.step=0.02") == [f"command line:1:11: time.step: {text}"]
    load(path, ["physics.zeta=5"])
    found = problems(path, "physics.zeta=5", "closure.guard.outside=stop")
    assert found[0].startswith("command line:1:14: physics.zeta: the closure was trained for 0.3 to 1")
    found = problems(path, f"closure.sha256={'ab' * 32}")
    assert found[0].startswith("command line:1:16: closure.sha256: ") and "the file has" in found[0]
    found = problems(path, "closure.type=tensor_basis")
    assert "closure.checkpoint" in found[0] and "spin_network" in found[0]


def test_a_run_beyond_the_training_says_so(tmp_path, capsys):
    out = tmp_path / "out"
    assert driver.run(deck(tmp_path), ["time.end=0.05 s", "physics.zeta=5"], out) == 0
    text, said = "training.parameters.zeta: trained for 0.3 to 1, the run has 5", capsys.readouterr().out
    assert said.count(text) == 1
    assert (
        said.count("physics.zeta: the closure was trained for 0.3 to 1, the run has 5; cells are guarded")
        == 1
    )
    assert summary(out)["guards"]["closure"]["beyond_training"] == [text]


@pytest.mark.parametrize(
    ("guard", "zeta", "effect", "outside"),
    [
        ("{outside: fallback}", 3, "the network is never used, the fallback answers everywhere", 1.0),
        (
            "{outside: blend, margin: 0.1}",
            3,
            "the network is never used, the fallback answers everywhere",
            1.0,
        ),
        ("{outside: blend, margin: 9}", 3, "at least 14% of every value is the fallback's", 1.0),
        ("{outside: log}", 3, "all are counted, and the network answers all the same", 1.0),
        ("{outside: fallback}", 1.2, "cells are guarded by their state alone", 0.0),
    ],
)
def test_a_constant_that_alone_puts_every_cell_outside_says_so(
    tmp_path, capsys, guard, zeta, effect, outside
):
    """ζ is among the inputs of the shipped network, with a box of -0.4 to 1.7; the run counts it."""
    bundles = Path(__file__).parents[3] / "input_decks/closures/bundles"
    path = bundles / "active_fluid_f3_range.safetensors"
    text = DECK.replace("net.safetensors", str(path)).replace("order: 1", "order: 2")
    (tmp_path / "deck.yaml").write_text(text.replace("HASH", hashlib.sha256(path.read_bytes()).hexdigest()))
    words = [f"physics.zeta={zeta}", f"closure.guard={guard}", "time.end=0.02 s", "output=[]"]
    assert driver.run(tmp_path / "deck.yaml", words, tmp_path / "out") == 0
    assert f"was trained for 0.3 to 1, the run has {zeta}; " in (said := capsys.readouterr().out)
    assert said.count(effect) == 1
    assert summary(tmp_path / "out")["guards"]["closure"]["mean_outside"] == outside


def test_a_learned_closure_needs_weights(tmp_path):
    path = tmp_path / "deck.yaml"
    lines = [line for line in DECK.splitlines() if "checkpoint: net" not in line and "sha256" not in line]
    path.write_text("\n".join(lines))
    assert problems(path) == [
        f"{path}:5:9: closure.type: checkpoint is missing: spin_network is learned; name its bundle"
    ]
