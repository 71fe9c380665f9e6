"""Data from reference runs, for a part that knows nothing of suspensions: a source s(u) of a diffusion."""

import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest

from plexus import driver
from plexus.deck.load import load
from plexus.deck.sweep import Sweep
from plexus.errors import DeckError
from plexus.learning.data import _members, _reference
from plexus.tasks import Request, named

sys.path.insert(0, str(Path(__file__).parents[1] / "coupling"))
import newcomers

REFERENCE = """
plexus: 1
mesh: {type: interval, cells: 20}
physics: {type: diffusion, coefficient: 1, source: 3}
boundary: [{on: exterior, u: 0}]
initial: {u: 0.5}
time: {stepper: bdf2, end: 0.2 s, step: 0.01 s}
"""
DECK = """
plexus: 1
mesh: {type: interval, cells: 20}
physics: {type: open}
closure: {type: bent, width: 6, precision: fp64}
boundary: [{on: exterior, u: 0}]
time: {stepper: bdf2, end: 0.2 s, step: 0.01 s}
train:
  data:
    type: runs
    deck: reference.yaml
    vary: {parameters: {initial.u: [0.5, 1.0, 2.0]}}
    times: {start: 0, end: 0.2, every: 0.05}
    fields: {u: u, s: {name: 1 - u + 0.3*sin(3*u), unit: 1/s}}
  stages: [{type: fit, steps: 20, optimizer: levenberg_marquardt}]
"""


@pytest.fixture(autouse=True)
def members():
    newcomers.register()
    yield
    newcomers.forget()


def written(folder, text=DECK):
    (folder / "reference.yaml").write_text(REFERENCE)
    (folder / "deck.yaml").write_text(text)
    return folder / "deck.yaml"


def train(folder, *overrides, name="out", restart=None):
    assert (
        driver.perform(Request(folder / "deck.yaml", overrides, folder / name, restart), named("train")) == 0
    )
    told = json.loads((folder / name / "summary.json").read_text())
    return told | {"said": (folder / name / "log.txt").read_text()}


def test_a_source_is_learned_from_runs_that_are_computed_once(tmp_path, monkeypatch):
    written(tmp_path)
    told = train(tmp_path)
    assert told["frames"] == 15  # three runs at five times
    assert told["quantities"]["loss.0"] < 1e-5
    (data,) = (tmp_path / "out").glob("data-*.h5")
    before = data.read_bytes()
    monkeypatch.setattr(_reference, "compose", None)  # nothing may be run again
    again = train(tmp_path)
    assert again["quantities"] == told["quantities"] and "are there already" in again["said"]
    (same,) = (tmp_path / "out").glob("data-*.h5")
    assert same == data and same.read_bytes() == before


def test_runs_that_are_done_survive_a_kill(tmp_path, monkeypatch):
    """The third member stops the process; the next training runs that one alone, and has the same data."""
    written(tmp_path)
    train(tmp_path, name="whole")
    real, begun = _reference.compose, []

    def compose(deck, ctx):
        begun.append(deck.initial["u"][0])
        if len(begun) == 3:
            raise KeyboardInterrupt
        return real(deck, ctx)

    monkeypatch.setattr(_reference, "compose", compose)
    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        train(tmp_path)
    assert len(list((tmp_path / "out").glob("data-*.run-*.h5"))) == 2
    again = train(tmp_path)
    assert len(begun) == 4 and begun[2] == begun[3] and "2 of 3 runs are there already" in again["said"]
    (here,), (whole,) = ((tmp_path / name).glob("data-*.h5") for name in ("out", "whole"))
    assert here.name == whole.name
    with h5py.File(here) as a, h5py.File(whole) as b:
        for name in ("group", "time", "fields/u", "fields/s"):
            assert (a[name][:] == b[name][:]).all()


def test_the_data_are_those_of_the_runs(tmp_path):
    from plexus.cli import main

    written(tmp_path)
    train(tmp_path)
    (data,) = (tmp_path / "out").glob("data-*.h5")
    quantity = ("-s", "quantities={top: {type: maximum, of: u}}", "-s", "initial.u=2.0")
    assert main(["run", str(tmp_path / "reference.yaml"), "-o", str(tmp_path / "run"), *quantity]) == 0
    top = json.loads((tmp_path / "run" / "summary.json").read_text())["quantities"]["top"]
    with h5py.File(data) as file:
        assert file["group"][:].tolist() == [0] * 5 + [1] * 5 + [2] * 5
        assert file["time"][5:10] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
        assert file["fields/u"][-1].max() == pytest.approx(top, rel=1e-12)


def test_the_name_depends_on_what_the_data_depend_on(tmp_path):
    def name(*overrides):
        params = load(tmp_path / "deck.yaml", overrides).train.data
        return _members.name_of(params, _members.members(params))

    written(tmp_path)
    names = [name(), name("train.data.vary.parameters={initial.u: [0.5, 1.0, 2.5]}"),
             name("train.data.times.every=0.1"), name("train.data.fields.s.name=1 - u")]  # fmt: skip
    assert name("train.seed=4") == names[0]
    (tmp_path / "reference.yaml").write_text(REFERENCE.replace("source: 3", "source: 4"))
    assert len({*names, name()}) == 5


def test_draws_of_a_sample_are_members():
    vary = Sweep.model_validate({"mode": "draws", "sample": "u0", "samples": 3})
    assert _members.varied(SimpleNamespace(vary=vary)) == [[f"samples.u0.number={n}"] for n in range(3)]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("train.data.fields={u: u}", "nothing is given for s of closure (bent)"),
        ("train.data.vary={ranks: [1, 2]}", "ranks and workers belong to sweeps"),
        ("train.data.deck=no.yaml", "no.yaml"),
        ("train.data.times={start: 1, end: 0.5, every: 0.1}", "before start"),
        ("train.part=solver", "no learned part of this deck"),
    ],
)
def test_mistakes_are_told(tmp_path, override, text):
    written(tmp_path)
    with pytest.raises(DeckError) as found:
        load(tmp_path / "deck.yaml", (override,))
    assert text in str(found.value)


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("train.data.times.end=0.3", "0.25 s is after the end of the run"),
        ("train.data.fields.u.name=v", "there is no field 'v'"),
        ("train.data.vary.parameters={nothing.u: [1]}", "nothing"),
        ("train.data.fields.u.unit=kg", "u is in kg, the part takes 1"),
    ],
)
def test_runs_that_cannot_be_are_told(tmp_path, override, text):
    written(tmp_path)
    more = () if "fields.u." not in override else ("train.data.fields.u={name: u}",)
    with pytest.raises(SystemExit) as stop:
        train(tmp_path, *more, override)
    message = json.loads((tmp_path / "out" / "summary.json").read_text())["message"]
    assert stop.value.code == 2 and text in message


STEPS = """
    fields: {u: u}
  loss: {type: rollout, steps: 3, feeds: {s: u}, pushforward: PUSH}
  stages: STAGES
"""


LEVENBERG = "{type: fit, steps: 12, optimizer: levenberg_marquardtLOSS}"
ADAM = "{type: fit, steps: 50, optimizer: {type: adam, rate: 1e-3}}"
ONE = ", loss: {type: rollout, steps: 1, feeds: {s: u}, pushforward: false}"
STAGES = {
    "false": f"[{LEVENBERG.replace('LOSS', '')}]",
    "true": f"[{LEVENBERG.replace('LOSS', ONE)}, {ADAM}]",
}


@pytest.mark.parametrize("push", ["false", "true"])
def test_a_part_that_gives_the_next_state_is_rolled_out(tmp_path, monkeypatch, push):
    """Between the times of the data u decays by one factor everywhere, s(u) = 0.7 u has to be found."""
    slow = REFERENCE.replace("source: 3", "source: 0").replace("initial: {u: 0.5}", "initial: {u: sin(pi*x)}")
    monkeypatch.setattr(newcomers.Bent, "properties", property(lambda self: _same_units()))
    text = DECK.partition("    fields:")[0].rstrip() + STEPS.replace("PUSH", push)
    text = text.replace("STAGES", STAGES[push])
    text = text.replace("    vary: {parameters: {initial.u: [0.5, 1.0, 2.0]}}\n", "")
    written(tmp_path, text)
    (tmp_path / "reference.yaml").write_text(slow)
    told = train(tmp_path)
    assert told["frames"] == 2  # five times, three steps ahead
    assert list(told["quantities"].values())[-1] < 1e-3
    assert _answer(tmp_path, 0.5) == pytest.approx(0.5 * _decay(tmp_path), rel=0.05)


def test_line_searches_are_refused_where_the_gradient_is_cut(tmp_path):
    text = DECK.partition("    fields:")[0].rstrip() + STEPS.replace("PUSH", "true")
    written(tmp_path, text.replace("STAGES", "[{type: fit, optimizer: lbfgs}]"))
    with pytest.raises(SystemExit):
        train(tmp_path, "train.data.fields={u: u, s: {name: u, unit: 1/s}}")
    assert "pushforward cuts it; use adam" in (tmp_path / "out" / "summary.json").read_text()


def _same_units():
    from plexus.learned.ports import Properties

    level = newcomers.LEVEL
    symmetry = ("translation", "rotation", "reflection")
    return Properties("forcing", "pointwise", (level,), (newcomers.Port("s", "1"),), symmetry)


def _decay(folder):
    """Return the factor by which the reference falls from one time to the next."""
    (data,) = (folder / "out").glob("data-*.h5")
    with h5py.File(data) as file:
        tops = file["fields/u"][:].max(1)
    assert tops[2:] / tops[1:-1] == pytest.approx(tops[2] / tops[1], rel=1e-3)
    return tops[2] / tops[1]


def _answer(folder, u):
    """Return what the bundle's network answers."""
    import torch

    from plexus.bundles import store
    from plexus.protocols import Setting

    part = newcomers.Bent(newcomers.BentParams(width=6, precision="fp64"))
    part.prepare(Setting())
    part.network.load_state_dict(store.load(folder / "out" / "bundle.safetensors").weights)
    with torch.no_grad():
        return float(part.raw({"u": torch.tensor([u], dtype=torch.float64)})["s"])
