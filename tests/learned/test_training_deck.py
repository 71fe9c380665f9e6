"""What the block `train` accepts, and how it says what is wrong."""

import json

import pytest
from trainings import deck

from plexus import driver
from plexus.errors import DeckError


def test_one_stage_needs_no_list(tmp_path):
    assert deck(tmp_path, "train.stages={type: fit, steps: 5}").train.stages[0].steps == 5


def test_leads_are_those_of_all_stages(tmp_path):
    stages = "train.stages=[{type: unrolled, unroll: [4, 1]}, {type: infer, guess: {zeta: 1}, horizon: 7}]"
    assert deck(tmp_path, stages).train.leads() == (1, 4, 7)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.stages=[{type: fit, unroll: [1]}]", "unroll: unknown key"),
        ("train.stages=[{type: infer}]", "guess: required"),
        ("train.stages=[{type: infer, guess: {beta: 1}}]", "beta"),
        ("train.stages=[{type: online}]", "unknown stage 'online'"),
        ("train.stages=[]", "at least 1"),
        ("train.data.frames={start: 5, end: 4}", "before start"),
        ("train.data.frames={start: 5, end: 6, every: 0.003}", "train.data.frames.every: 0.003 s is 0."),
        ("train.output=bundle.pt", "output"),
        ("train.data.cases=[]", "at least 1"),
        ("train.data.cases=[{alpha: -3}]", "zeta: required but missing"),
        ("train.epochs=3", "unknown key"),
    ],
)
def test_mistakes_are_told(tmp_path, override, message):
    with pytest.raises(DeckError, match=r"train") as found:
        deck(tmp_path, override)
    assert message in str(found.value)


def test_a_closure_without_weights_is_not_run(tmp_path):
    deck(tmp_path)
    with pytest.raises(SystemExit) as stop:
        driver.run(tmp_path / "deck.yaml", folder=tmp_path / "out")
    assert stop.value.code == 2
    assert "not trained yet" in json.loads((tmp_path / "out" / "summary.json").read_text())["message"]


FORMER = """
plexus: 1
mesh: {type: periodic, cells: [32, 32], size: [5, 5]}
physics: {type: active_fluid, order: 2, alpha: -3, zeta: 1}
closure: {type: spin_network, moment: 3}
time: {stepper: sbdf2, end: 40, step: 0.02}
train:
  cases: [{alpha: -3, zeta: 1, seed: 1}]
  moments: 12
  frames: {start: 5, end: 9, every: 0.5}
  stages: [{mode: offline, steps: 5, rate: 0.02, balance: true}, {mode: unrolled, final_rate: 1e-4}]
  validation: [{alpha: -3, zeta: 1, seed: 2}]
  validation_frames: {start: 6, end: 7, every: 0.5}
"""
TODAY = """
  data:
    type: kinetic
    cases: [{alpha: -3, zeta: 1, seed: 1}]
    moments: 12
    frames: {start: 5, end: 9, every: 0.5}
  stages:
    - {type: fit, steps: 5, optimizer: {type: adam, rate: 0.02}, loss: {type: relative_l2, balance: true}}
    - {type: unrolled, optimizer: {type: adam, final_rate: 1e-4, clip: 1}}
  validation: {type: kinetic, cases: [{alpha: -3, zeta: 1, seed: 2}], frames: {start: 6, end: 7, every: 0.5}}
"""


def test_a_deck_of_an_earlier_version_says_the_same(tmp_path):
    today = FORMER.partition("train:")[0] + "train:" + TODAY
    assert deck(tmp_path, text=FORMER).train == deck(tmp_path, text=today).train


@pytest.mark.parametrize(
    ("key", "place"), [("cases", "train.data.cases"), ("validation_frames", "train.validation.frames")]
)
def test_the_new_place_of_an_earlier_key_is_told(tmp_path, key, place):
    with pytest.raises(DeckError, match=f"{key}: now stands at {place}"):
        deck(tmp_path, f"train.{key}=[]")


def test_a_validation_takes_what_it_leaves_out_from_the_data(tmp_path):
    plan = deck(tmp_path, "train.data.moments=9").train
    assert plan.validation.moments == 9 and plan.validation.frames == plan.data.frames
    assert plan.validation.cases != plan.data.cases
