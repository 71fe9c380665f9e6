"""What a run has counted survives its restarts: solver totals, passes, and what guards found."""

import hashlib
import json
from pathlib import Path

import pytest

from plexus import driver

COUPLED = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4]}
physics:
  type: thermoelasticity
  geometry: plane_strain
  material: {conductivity: "1 + 0.2*temperature", density: 1, specific_heat: 1, young_modulus: 1,
             poisson_ratio: 0.3}
boundary: [{on: left, temperature: "sin(3*t)", displacement: [0, 0]}]
initial: {temperature: "x*y"}
coupling: {iterations: 9, tolerance: 1e-8}
time: {stepper: theta, end: 0.6 s, step: 0.1 s}
output: [{type: checkpoint, every: 1 steps, keep: 9}]
"""
REPEATED = """\
plexus: 1
mesh: {type: interval, cells: 16}
physics:
  type: heat
  degree: 1
  material: {conductivity: 1, density: 1, specific_heat: 1}
  source: "100*sin(90*t)"
boundary: [{on: left, temperature: 0}]
time: {stepper: theta, end: 0.3 s, step: 0.1 s, adaptive: {tolerance: 1e-3}}
output: [{type: checkpoint, every: 1 steps, keep: 99}]
"""
LEARNED = """\
plexus: 1
mesh: {type: periodic, cells: CELLS, size: [10, 10]}
physics: {type: active_fluid, order: 2, alpha: -8, zeta: 5, amplitude: 0.5}
closure:
  type: spin_network
  moment: 3
  checkpoint: BUNDLE
  sha256: SHA
  guard: {outside: log, max_fraction: 0.001, patience: 5000}
"""
MARCH = """\
initial: {}
time: {stepper: sbdf2, end: 0.8, step: 0.02}
output: [{type: checkpoint, every: 10 steps, keep: 9}]
"""
KEYS = ("steps", "rejected_steps", "solver", "coupling", "guards", "status")


def told(folder: Path) -> dict:
    """Return what a summary says of counts, without the seconds of preconditioners."""
    found = json.loads((folder / "summary.json").read_text())
    return {key: found.get(key) for key in KEYS}


def learned(cells: str, march: str) -> str:
    """Return the deck of a flow that its closure was not trained for, from the start."""
    path = Path(__file__).parents[2] / "input_decks/closures/bundles/active_fluid_f3.safetensors"
    text = LEARNED.replace("CELLS", cells).replace("BUNDLE", str(path))
    return text.replace("SHA", hashlib.sha256(path.read_bytes()).hexdigest()) + march


@pytest.mark.parametrize("kind", ["coupled", "repeated", "learned"])
def test_counts_of_a_restarted_run_are_those_of_the_whole(kind, tmp_path):
    text = {"coupled": COUPLED, "repeated": REPEATED}.get(kind) or learned("[16, 16]", MARCH)
    (tmp_path / "deck.yaml").write_text(text)
    whole = tmp_path / "whole"
    assert driver.run(tmp_path / "deck.yaml", folder=whole) == 0
    reference = told(whole)
    if kind == "coupled":
        assert reference["coupling"]["passes"] > reference["coupling"]["steps"] > 0
    elif kind == "repeated":
        assert reference["rejected_steps"] > 0
    else:
        guard = reference["guards"]["closure"]
        assert guard["mean_outside"] > 0 and not guard["holds"] and reference["status"] == "degraded"
    for path in sorted(whole.glob("checkpoint_*.h5"))[::2]:
        again = tmp_path / path.stem
        assert driver.run(tmp_path / "deck.yaml", folder=again, restart=str(path)) == 0
        assert told(again) == reference, path.name
    # with nothing left to do, too
    assert driver.run(tmp_path / "deck.yaml", folder=whole, restart="latest") == 0
    assert told(whole) == reference


def test_a_summary_is_strict_json(tmp_path):
    """A quantity without a value is null, and its reason stands beside."""
    from plexus.fileformat import from_json
    from plexus.runtime.files import write_json

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is not JSON")

    content = {
        "quantities": {"a/b": float("nan"), "c": 1.5},
        "list": [1, float("-inf")],
        "deep": {"x": [[2.0]]},
    }
    write_json(tmp_path / "summary.json", content)
    found = json.loads((tmp_path / "summary.json").read_text(), parse_constant=refuse)
    assert found["quantities"] == {"a/b": None, "c": 1.5} and found["list"] == [1, None]
    assert found["not_finite"] == [
        {"at": ["quantities", "a/b"], "value": "nan"}, {"at": ["list", 1], "value": "-inf"}
    ]  # fmt: skip
    again = from_json(found)
    assert str(again) == str(content)
    with pytest.raises(ValueError, match="not_finite"):
        from_json({"not_finite": [{"at": ["a", "b"], "value": "nan"}]})
