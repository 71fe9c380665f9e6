"""Short trainings: they learn, leave whole bundles, restart, and do not depend on the number of ranks."""

import hashlib
import math

import numpy as np
import pytest
import torch
from trainings import DECK, losses, on_ranks, summary, train

from plexus import registry
from plexus.bundles import store
from plexus.errors import GuardError, InputError
from plexus.learning import memo
from plexus.learning.draws import draw
from plexus.models.suspension.ports import missing
from plexus.protocols import Setting

SHORT = (
    "train.stages=[{type: fit, steps: 12, batch: 64}, {type: unrolled, steps: 4, batch: 3, unroll: [1, 10]}]"
)
ACTIVE = "train.stages=[{type: active, steps: 30, batch: 128, rounds: 3, acquire: 2%s}]"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Run folder of the plain training."""
    return train(tmp_path_factory.mktemp("trained"))


def test_a_training_reproduces_its_error(trained):
    """The band covers other machines' rounding and torch's other kernels."""
    row = summary(trained)["validation"][0]
    assert row["metric"] == "f3 relative MSE"
    ratio = row["value"] / row["baselines"]["autoregressive"]
    assert 0.2 < ratio < 0.45
    history = losses(trained)
    assert history[-1] < 0.5 * history[0]
    assert summary(trained)["status"] == "done"


def test_the_bundle_is_whole(trained):
    found = store.load(trained / "bundle.safetensors", summary(trained)["sha256"])
    meta = found.metadata
    assert meta["training"]["parameters"]["alpha"] == {"low": -3, "high": -3, "unit": "1/s"}
    assert meta["training"]["parameters"]["d_T"] == {"low": 0.05, "high": 0.05, "unit": "m^2/s"}
    assert meta["domain"]["end_points"] == [False, False]
    assert (meta["training"]["frames"], meta["training"]["points"]) == (27, 27 * 32 * 32)
    assert meta["training"]["seeds"] == [1, 3, 4]
    assert meta["validation"] == summary(trained)["validation"]
    assert meta["schema"] == 2
    deck = (trained / "deck.yaml").read_bytes()
    assert meta["training"]["deck"] == {"name": "deck", "sha256": hashlib.sha256(deck).hexdigest()}
    assert set(found.golden.inputs) == {"c", "f1", "f2", "e"}
    assert meta["stepping"]["dt"] is None  # no solver took part
    assert set(meta["box"]) == {"r", "strain_along", "strain_across", "k2_along", "k2_across"}


def test_a_model_takes_the_bundle(trained):
    member = registry.component("closure", "spin_network")
    given = {"checkpoint": str(trained / "bundle.safetensors"), "sha256": summary(trained)["sha256"]}
    closure = member.cls(member.params.model_validate(given))
    closure.prepare(Setting({"alpha": -3.0, "zeta": 1.0}, missing(2)))
    one = torch.full((4, 4), 0.5 + 0.1j, dtype=torch.complex128)
    out = closure.evaluate({"c": one.real * 2, "f1": one, "f2": 0.5 * one, "e": one, "W": one.real})
    assert out["f3"].isfinite().all()


def test_an_unrolled_stage_notes_the_step_it_was_trained_with(tmp_path):
    folder = train(tmp_path, SHORT)
    meta = store.load(folder / "bundle.safetensors").metadata
    assert meta["stepping"] == {"dt": [0.02, 0.02], "integrator": "sbdf2"}
    assert [s["type"] for s in meta["training"]["stages"]] == ["fit", "unrolled"]


def test_unrolled_training_improves_roll_outs(tmp_path):
    stage = "train.stages=[{type: unrolled, steps: 15, batch: 6, unroll: [10], optimizer: OPTIMIZER}]"
    stage = stage.replace("OPTIMIZER", "{type: adam, rate: 0.01, clip: 1}")
    history = losses(train(tmp_path, stage, "train.validation=null"))
    assert history[0] == pytest.approx(1, rel=0.5)  # untrained weights are the classical closure
    assert np.mean(history[-5:]) < 0.8 * np.mean(history[:3])


def test_unstable_roll_outs_are_refused(tmp_path):
    long = ("time.step=0.5", "train.data.cases=[{alpha: -3, zeta: 1, seed: 1, substeps: 25}]")
    stage = "train.stages=[{type: unrolled, steps: 2, unroll: [40]}]"
    with pytest.raises(SystemExit):
        train(tmp_path, *long, stage, "train.data.frames.end=5", "train.validation=null")
    assert "40 steps are unstable" in summary(tmp_path / "out")["message"]


def test_two_ranks_train_as_one(tmp_path):
    one, two = train(tmp_path, SHORT), on_ranks(tmp_path, 2, SHORT)
    assert losses(two) == pytest.approx(losses(one), rel=1e-9)
    a, b = (store.load(folder / "bundle.safetensors").weights for folder in (one, two))
    for name, value in a.items():
        assert torch.allclose(value, b[name], rtol=1e-7, atol=1e-10), name


def _stops_after(stop):
    """Return what replaces the agreement of the ranks: to stop after so many steps."""
    from plexus.runtime.stop import Verdict

    count = iter(range(10**6))
    return lambda *_: Verdict("time limit" if next(count) == stop else None, 0.0)


def test_a_training_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch):
    from plexus.runtime.stop import StopRequests

    whole = train(tmp_path, SHORT)
    # the last one comes behind all steps, before the end of the stage is noted
    for stop in (5, 14, len(losses(whole)) - 1):
        with monkeypatch.context() as patch:
            patch.setattr(StopRequests, "agree", _stops_after(stop))
            folder = train(tmp_path, SHORT, name=f"half{stop}")
        assert summary(folder)["status"] == "stopped"
        assert summary(folder)["exit_code"] == 75
        assert not (folder / "bundle.safetensors").exists()
        train(tmp_path, SHORT, name=f"half{stop}", restart="latest")
        assert losses(folder) == losses(whole)
        assert summary(folder)["quantities"] == summary(whole)["quantities"]
        a, b = (store.load(f / "bundle.safetensors").weights for f in (whole, folder))
        assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("choose", ["worst", "random"])
def test_active_training_adds_frames(tmp_path, choose):
    folder = train(tmp_path, ACTIVE % f", choose: {choose}")
    told = summary(folder)
    assert sum(name.startswith("worst.") for name in told["quantities"]) == 3
    facts, _ = memo.read(folder / memo.NAME)
    chosen = facts["position"]["chosen"]
    assert len(chosen) == len(set(chosen)) == 6
    assert told["validation"][0]["value"] > 0
    assert store.load(folder / "bundle.safetensors").metadata["training"]["frames"] == 6


@pytest.mark.parametrize(
    ("closure", "metrics"),
    [
        ("{type: spin_network, width: 8}", ["f2 relative MSE", "S:T relative MSE"]),
        ("{type: tensor_basis, width: 20, depth: 2}", ["S:T relative MSE"]),
        ("{type: fno, modes: 6}", ["S:T relative MSE"]),
    ],
)
def test_every_learned_closure_is_trained(tmp_path, closure, metrics):
    more = ["physics.order=1", f"closure={closure}", "train.stages[0].optimizer={type: adam, rate: 0.003}"]
    steps = 100 if "fno" in closure else 150
    batch = 4 if "fno" in closure else 1024
    more += [f"train.stages[0].steps={steps}", f"train.stages[0].batch={batch}"]
    folder = train(tmp_path, *more)
    assert [row["metric"] for row in summary(folder)["validation"]] == metrics
    history = losses(folder)
    assert np.mean(history[-5:]) < 0.95 * history[0]
    assert all(math.isfinite(x) for x in history)


def test_a_kinetic_run_that_blows_up_is_told(tmp_path):
    with pytest.raises(SystemExit) as stop:
        train(tmp_path, "train.data.cases=[{alpha: -60, zeta: 1}]", "train.validation=null")
    assert stop.value.code == GuardError.exit_code
    assert "raise substeps" in summary(tmp_path / "out")["message"]


def test_going_on_needs_a_training(tmp_path):
    with pytest.raises(SystemExit) as stop:
        train(tmp_path, restart="latest")
    assert stop.value.code == InputError.exit_code
    assert "holds no training" in summary(tmp_path / "out")["message"]


def test_a_classical_closure_cannot_be_trained(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        train(tmp_path, "closure=autoregressive")
    assert stop.value.code == 2
    assert "needs a learned part" in capsys.readouterr().err


def test_a_deck_without_the_block_cannot_be_trained(tmp_path):
    with pytest.raises(SystemExit) as stop:
        train(tmp_path, "closure={type: autoregressive}", text=DECK.partition("train:")[0])
    assert stop.value.code == 2


def test_random_numbers_depend_on_every_part_of_their_key():
    seen = {float(torch.rand(1, generator=draw(key))) for key in ((0, 1), (1, 0), (1, 1), (0, 1, 0))}
    assert len(seen) == 4
    assert torch.equal(torch.rand(3, generator=draw((4, 2))), torch.rand(3, generator=draw((4, 2))))
