"""Internal variables at quadrature points through restarts on other numbers of ranks and rejected steps."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "parallel"))
from io_jobs import plexus

from plexus import driver

CURE = """\
plexus: 1
mesh: {type: box, cell: CELL, cells: [5, 4], size: [20 mm, 20 mm]}
physics:
  type: cure
  degree: DEGREE
  material: {conductivity: "0.2 + 0.05*degree_of_cure", density: 1200, specific_heat: 1200}
  heat_of_reaction: 300 kJ/kg
  kinetics: {factors: [1e4 1/s, 1e6 1/s], energies: [60 kJ/mol, 60 kJ/mol], m: 0.8, n: 1.5}
boundary: [{on: left, temperature: 400 + 20*tanh(t - 35)}]
initial: {temperature: 380 + 1000*y}
solver: {temperature: {ksp: preonly, preconditioner: lu, snes_rtol: 1e-13}}
time: {stepper: STEPPER, end: 60 s, step: 2 s, adaptive: {tolerance: TOLERANCE}}
output: [{type: checkpoint, every: 1 steps, keep: 99}]
"""
CASES = [
    ("theta", "triangle", 2, 3e-3),
    ("{type: theta, theta: 0.5}", "quadrilateral", 1, 1e-4),
    ("bdf2", "triangle", 1, 1e-4),
]


def deck(stepper: str = "theta", cell: str = "triangle", degree: int = 1, tolerance: float = 1e-2) -> str:
    text = CURE.replace("STEPPER", stepper).replace("CELL,", f"{cell},")
    return text.replace("DEGREE", str(degree)).replace("TOLERANCE", str(tolerance))


def checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint_*.h5"))


def content(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Return facts of a checkpoint and its arrays, rows sorted by their names."""
    with h5py.File(path) as file:
        told = json.loads(file["plexus/facts"][()])
        order = {key: np.argsort(ids[:]) for key, ids in file["ids"].items()}
        arrays = {name: file[f"arrays/{name}"][:][order[key]] for name, key in told["sets"].items()}
    return told["facts"]["run"], arrays


def go_on(folder: Path, text: str, path: Path, name: str, ranks: int) -> Path:
    """Continue from a checkpoint in a new folder; return the folder."""
    code, err = plexus(folder, text, "-o", name, "--restart", str(path), ranks=ranks)
    assert code == 0, err
    return folder / name


@pytest.mark.parametrize(("stepper", "cell", "degree", "tolerance"), CASES, ids=["euler", "midpoint", "bdf2"])
def test_memory_goes_through_restarts_on_one_two_and_three_ranks(
    stepper, cell, degree, tolerance, tmp_path, parallel_factorisation
):
    text = deck(stepper, cell, degree, tolerance)
    code, err = plexus(tmp_path, text, "-o", "whole")
    assert code == 0, err
    marks = checkpoints(tmp_path / "whole")
    assert len(marks) >= 4
    # the left side warms suddenly after 34 s: steps are rejected between the restarts
    times = [content(p)[0]["clock"]["t"] for p in marks]
    first = next(p for p, t in zip(reversed(marks), reversed(times), strict=True) if t < 33)
    two = go_on(tmp_path, text, first, "two", ranks=2)
    second = next(p for p in checkpoints(two) if content(p)[0]["clock"]["t"] > 37)
    three = go_on(tmp_path, text, second, "three", ranks=3)
    rejected = [content(p)[0]["controller"]["rejected"] for p in (first, second)]
    assert rejected[1] > rejected[0]
    (told, whole), (told_two, _), (told_three, rest) = (
        content(checkpoints(f)[-1]) for f in (tmp_path / "whole", two, three)
    )
    assert told["clock"]["step"] == told_two["clock"]["step"] == told_three["clock"]["step"]
    assert told["controller"]["rejected"] == told_three["controller"]["rejected"]
    assert whole.keys() == rest.keys() and "internal/degree_of_cure" in whole
    assert np.ptp(whole["internal/degree_of_cure"]) > 0.01, "the memory is not the same everywhere"
    for name in whole:
        np.testing.assert_allclose(rest[name], whole[name], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "physics={type: heat, material: {conductivity: 1, density: 1, specific_heat: 1}}",
            "the checkpoint has internal variables degree_of_cure, which the run lacks",
        ),
        ("physics.degree=2", "rows 'nodes1', the run has none"),
    ],
)
def test_another_memory_is_refused_by_name(change, told, tmp_path, capsys):
    (tmp_path / "deck.yaml").write_text(deck())
    assert driver.run(tmp_path / "deck.yaml", ["time.end=40 s"], tmp_path / "out") == 0
    with pytest.raises(SystemExit, match="2"):
        driver.run(tmp_path / "deck.yaml", [change], tmp_path / "out", "latest")
    said = capsys.readouterr().err
    assert told in said and "restart with the physics and degree of the checkpoint" in said


def test_memory_that_the_checkpoint_lacks_is_refused_by_name(tmp_path, capsys):
    heat = "physics={type: heat, material: {conductivity: 1, density: 1, specific_heat: 1}}"
    (tmp_path / "deck.yaml").write_text(deck())
    assert driver.run(tmp_path / "deck.yaml", [heat, "time.end=40 s"], tmp_path / "out") == 0
    with pytest.raises(SystemExit, match="2"):
        driver.run(tmp_path / "deck.yaml", folder=tmp_path / "out", restart="latest")
    said = capsys.readouterr().err
    assert "the run has internal variables degree_of_cure, which the checkpoint lacks" in said
