"""What the block `train` accepts, and how it says what is wrong."""

import json

import pytest
from trainings import deck

from plexus import driver
from plexus.errors import DeckError


def test_one_stage_needs_no_list(tmp_path):
    assert deck(tmp_path, "train.stages={mode: offline, steps: 5}").train.stages[0].steps == 5


def test_leads_are_those_of_all_stages(tmp_path):
    stages = "train.stages=[{mode: unrolled, unroll: [4, 1]}, {mode: infer, guess: {zeta: 1}, horizon: 7}]"
    assert deck(tmp_path, stages).train.leads() == (1, 4, 7)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.stages=[{mode: offline, unroll: [1]}]", "unroll: belongs to mode unrolled, not to offline"),
        ("train.stages=[{mode: infer}]", "guess is missing"),
        ("train.stages=[{mode: infer, guess: {beta: 1}}]", "beta"),
        ("train.stages=[{mode: online}]", "'online' is not valid here"),
        ("train.stages=[]", "at least 1"),
        ("train.frames={start: 5, end: 4}", "before start"),
        ("train.frames={start: 5, end: 6, every: 0.003}", "train.frames.every: 0.003 s is 0."),
        ("train.output=bundle.pt", "output"),
        ("train.cases=[]", "at least 1"),
        ("train.cases=[{alpha: -3}]", "zeta: required but missing"),
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
