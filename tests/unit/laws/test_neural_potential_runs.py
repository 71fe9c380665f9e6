"""A learned potential in runs and trainings: beside its teacher, outside of its range, refusals."""

from __future__ import annotations

import json

import pytest
from crew import plexus

from plexus.deck.load import load
from plexus.errors import PlexusError

DECK = """
plexus: 1
include: {root}/input_decks/solids/neural_cook_finite.yaml
mesh: {{cells: [3, 3]}}
physics:
  potential: {{type: neural, checkpoint: {root}/input_decks/solids/bundles/neural_potential.safetensors}}
boundary:
  - {{on: left, displacement: [0, 0]}}
  - {{on: right, traction: [0, 120 kPa * t / (1 s)]}}
time: {{stepper: {{type: quasistatic, guess: linear}}, step: 0.25 s, end: 1 s}}
"""
YEOH = "{type: yeoh, c1: 0.3 MPa, c2: 0.02 MPa, c3: 0.002 MPa, bulk_modulus: 10 MPa}"
RUBBER = "{type: mooney_rivlin, c10: 0.3 MPa, c01: 0.05 MPa, bulk_modulus: 10 MPa}"
TRAINING = f"""
plexus: 1
mesh: {{type: box, cell: triangle, cells: [2, 2]}}
physics: {{type: hyperelasticity, geometry: plane_strain, potential: {{type: neural, width: 3}}}}
train:
  data:
    type: material_points
    potential: {RUBBER}
    modes: [random, uniaxial, volumetric]
    strain: {{type: uniform, seed: 1, low: -0.2, high: 0.2}}
    volume: 0.2
    paths: 12
    steps: 3
  stages: {{type: fit, steps: 6, optimizer: ssbroyden}}
  validation: {{type: material_points, strain: {{type: uniform, seed: 2, low: -0.15, high: 0.15}}}}
  widen: 0.5
  output: small.safetensors
"""


@pytest.fixture
def ran(tmp_path, request):
    """Return a function that runs the deck and returns how it ended and its summary."""

    def run(*overrides, name="out"):
        (tmp_path / "deck.yaml").write_text(DECK.format(root=request.config.rootpath))
        words = [word for o in overrides for word in ("--set", o)]
        ended = plexus(tmp_path, "run", "deck.yaml", "-o", name, *words)
        assert (tmp_path / name / "summary.json").exists(), ended.err
        return ended, json.loads((tmp_path / name / "summary.json").read_text())

    return run


def test_cooks_membrane_is_that_of_the_energy_that_it_learned(ran):
    learned, true = ran()[1], ran(f"physics.potential={YEOH}", name="true")[1]
    for name, value in true["quantities"].items():
        assert learned["quantities"][name] == pytest.approx(value, rel=5e-3)
    assert learned["guards"]["physics.potential"]["holds"] and learned["status"] == "done"


PULLED = ("boundary[1]={on: right, displacement: [0.1*t*(1 m/s), 0]}", "time.step=0.1 s", "mesh.cells=[2, 2]")
"""To three times the length."""


def test_a_solution_outside_stops_the_run(ran):
    ended, told = ran(*PULLED)
    assert ended.code == 5 and "physics.potential" in told["message"]
    assert "% of the points are outside of the range of its training" in told["message"]


def test_a_solution_outside_is_computed_again_with_the_fallback(ran):
    """All of it: the result is that of the classical energy alone."""
    told = ran(*PULLED, f"physics.potential.guard={{outside: fallback, fallback: {YEOH}}}")[1]
    true = ran(*PULLED, f"physics.potential={YEOH}", name="true")[1]
    assert told["guards"]["physics.potential"]["fallback"] == 1 and told["status"] != "done"
    for name, value in true["quantities"].items():
        assert told["quantities"][name] == pytest.approx(value, rel=1e-6)


def test_it_is_trained_on_paths_of_stretch_and_run(tmp_path):
    """It is better than the best neo-Hookean body, and its bundle goes into a deck."""
    (tmp_path / "deck.yaml").write_text(TRAINING)
    assert plexus(tmp_path, "train", "deck.yaml", "-o", "out").code == 0
    told = json.loads((tmp_path / "out/summary.json").read_text())
    for row in told["validation"]:
        assert row["value"] < 0.05 * row["baselines"]["neo_hookean"] and row["fallback"] == 0
    bundle = f"checkpoint: {told['bundle']}, sha256: {told['sha256']}, guard: {{outside: stop}}"
    (tmp_path / "run.yaml").write_text(
        TRAINING.partition("train:")[0].replace("width: 3", bundle)
        + "boundary: [{on: left, displacement: [0, 0]}, {on: right, displacement: [0.02, 0]}]\n"
    )
    assert plexus(tmp_path, "run", "run.yaml", "-o", "ran").code == 0


@pytest.mark.parametrize(("override", "told"), [
    ("physics.potential.width=5", "architecture.hyper.width: the model has 5, the bundle says 8"),
    (f"physics.potential.sha256={'a' * 64}", "sha256: the deck says aaaaaaaaaaaa"),
    ("physics.potential.poisson_ratio=0.4", "is none of a learned material"),
])  # fmt: skip
def test_what_is_refused_before_a_run(tmp_path, request, override, told):
    (tmp_path / "deck.yaml").write_text(DECK.format(root=request.config.rootpath))
    with pytest.raises(PlexusError, match=told):
        load(tmp_path / "deck.yaml", [override])


@pytest.mark.parametrize(("override", "told"), [
    ("train.data.law={type: elastic, young_modulus: 1 GPa, poisson_ratio: 0.3}", "who answers"),
    ("train.data.potential=null", "who answers"),
    ("train.data.potential={type: neural}", "is learned itself"),
    ("train.data.modes=[twisted]", "modes"),
])  # fmt: skip
def test_what_is_refused_before_a_training(tmp_path, override, told):
    (tmp_path / "deck.yaml").write_text(TRAINING)
    with pytest.raises(PlexusError, match=told):
        load(tmp_path / "deck.yaml", [override])


def test_a_law_does_not_teach_a_potential(tmp_path):
    law = "law: {type: elastic, young_modulus: 1 GPa, poisson_ratio: 0.3}"
    (tmp_path / "deck.yaml").write_text(TRAINING.replace(f"potential: {RUBBER}", law))
    with pytest.raises(PlexusError, match="a law at material points answers for a learned law"):
        load(tmp_path / "deck.yaml")
