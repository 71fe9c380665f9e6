"""Runs with a learned law: beside the law that it learned, outside of its range, on several ranks."""

from __future__ import annotations

import json

import pytest
from crew import plexus

from plexus.deck.load import load
from plexus.errors import PlexusError

DECK = """
plexus: 1
include: {root}/input_decks/solids/neural_cook.yaml
mesh: {{cells: [4, 4]}}
physics: {{law: {{type: neural, checkpoint: {root}/input_decks/solids/bundles/neural_law.safetensors}}}}
boundary:
  - {{on: left, displacement: [0, 0]}}
  - {{on: right, traction: [0, {load} MPa * t / (1 s)]}}
quantities: {{work: {{type: integral, of: displacement_y, on: right}}}}
"""
RAMBERG = (
    "physics.law={type: ramberg_osgood, young_modulus: 70 GPa, poisson_ratio: 0.33, "
    "reference_stress: 250 MPa, exponent: 8}"
)


@pytest.fixture
def ran(tmp_path, request):
    """Return a function that runs the deck and returns how it ended and its summary."""

    def run(*overrides, load_=110, ranks=1, name="out"):
        (tmp_path / "deck.yaml").write_text(DECK.format(root=request.config.rootpath, load=load_))
        words = [word for o in overrides for word in ("--set", o)]
        ended = plexus(tmp_path, "run", "deck.yaml", "-o", name, *words, ranks=ranks)
        assert (tmp_path / name / "summary.json").exists(), ended.err
        return ended, json.loads((tmp_path / name / "summary.json").read_text())

    return run


def test_cooks_membrane_is_that_of_the_law_that_it_learned(ran):
    learned, true = ran()[1], ran(RAMBERG, name="true")[1]
    for name, value in true["quantities"].items():
        assert learned["quantities"][name] == pytest.approx(value, rel=5e-3)
    assert learned["guards"]["physics.law"]["holds"] and learned["status"] == "done"


def test_a_solution_outside_stops_the_run(ran):
    ended, told = ran(load_=200)
    assert ended.code == 5 and "physics.law" in told["message"]
    assert "% of the points are outside of the range of its training" in told["message"]


def test_a_solution_outside_is_computed_again_with_the_fallback(ran):
    """All of it: the result is that of the classical law alone."""
    fallback = RAMBERG.split("=", 1)[1]
    guard = f"physics.law.guard={{outside: fallback, fallback: {fallback}}}"
    told, true = ran(guard, load_=160)[1], ran(RAMBERG, load_=160, name="true")[1]
    assert told["guards"]["physics.law"]["fallback"] == 1 and len(told["guards"]["replaced"]) == 1
    assert told["status"] != "done"
    for name, value in true["quantities"].items():
        assert told["quantities"][name] == pytest.approx(value, rel=1e-6)


def test_what_is_outside_may_be_counted_only(ran):
    told = ran("physics.law.guard.outside=log", load_=160)[1]
    watched = told["guards"]["physics.law"]
    assert 0 < watched["outside"] < 0.2 and not watched["holds"] and told["status"] != "done"


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_find_the_same(ran, ranks):
    one = ran("physics.law.guard.outside=log", load_=160)[1]
    many = ran("physics.law.guard.outside=log", load_=160, ranks=ranks, name="many")[1]
    for name, value in one["quantities"].items():
        assert many["quantities"][name] == pytest.approx(value, rel=1e-7)
    assert many["guards"]["physics.law"]["outside"] == one["guards"]["physics.law"]["outside"]


@pytest.mark.parametrize(("override", "told"), [
    (f"physics.law.sha256={'a' * 64}", "sha256: the deck says aaaaaaaaaaaa"),
    ("physics.law.width=5", "architecture.hyper.width: the model has 5, the bundle says 8"),
    ("physics.locking=b_bar", "neural may change the mean stress"),
])  # fmt: skip
def test_what_is_refused_before_a_run(tmp_path, request, override, told):
    (tmp_path / "deck.yaml").write_text(DECK.format(root=request.config.rootpath, load=1))
    with pytest.raises(PlexusError, match=told):
        load(tmp_path / "deck.yaml", [override])


def test_a_shorter_step_is_not_tried_for_what_was_not_learned(ran, tmp_path):
    told = ran("time.controller=failures", load_=200)[1]
    assert "% of the points" in told["message"]
    assert "repeated" not in (tmp_path / "out/log.txt").read_text()
