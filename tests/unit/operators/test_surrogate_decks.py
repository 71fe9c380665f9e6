"""Operators that take the steps of a deck: trained, watched, replaced, refused with place and reason."""

import json
from pathlib import Path

import crew
import h5py
import numpy as np
import pytest

from plexus import driver
from plexus.deck.load import load
from plexus.discretisations._volumes import _leap
from plexus.errors import InputError
from plexus.tasks import Request, named

CELLS = "{type: periodic, cells: [32], size: [1 m]}"
PHYSICS = "{type: burgers, viscosity: 0.05 m^2/s, reconstruction: weno5}"
START = "{type: gaussian_field, seed: 1, number: 0, size: [1 m], modes: 4, scale: 1, tau: 5, unit: m/s}"
REFERENCE = f"""
plexus: 1
samples: {{start: {START}}}
mesh: {CELLS}
physics: {PHYSICS}
initial: {{velocity: start}}
time: {{stepper: ssp_rk, end: 0.1 s, step: 4 ms}}
"""
TRAINING = f"""
plexus: 1
samples: {{start: {START}}}
mesh: {CELLS}
physics: {PHYSICS}
initial: {{velocity: start}}
time: {{stepper: {{type: surrogate, operator: OPERATOR}}, end: 0.1 s, step: 0.1 s}}
train:
  data:
    type: runs
    deck: reference.yaml
    vary: {{parameters: {{samples.start.number: {{min: 0, max: 23, count: 24, whole: true}}}}}}
    fields: {{velocity: velocity}}
    times: {{start: 0 s, end: 0.1 s, every: 0.1 s}}
    lead: 1
  loss: {{type: relative_l2, balance: true}}
  stages: STAGES
  validation: {{type: runs, vary: {{parameters: {{samples.start.number: [1000, 1001]}}}}}}
"""
FNO = "{type: fno, modes: [4], width: 8, depth: 2, projection: 16, precision: fp64}"
FIT = "[{type: fit, steps: 120, batch: 8, optimizer: {type: adam, rate: 1e-2}}]"
RUN = """
plexus: 1
samples: {start: START}
mesh: CELLS
physics: PHYSICS
initial: {velocity: SIZE*start}
time: {stepper: STEPPER, end: 0.2 s, step: 0.1 s}
quantities: {total: {type: integral, of: velocity}}
output: [{type: fields, every: end}]
"""


def trained(folder, operator, stages):
    """Train and return the summary."""
    (folder / "reference.yaml").write_text(REFERENCE)
    deck = folder / "training.yaml"
    deck.write_text(TRAINING.replace("OPERATOR", operator).replace("STAGES", stages))
    assert driver.perform(Request(deck, (), folder / "out"), named("train")) == 0
    return json.loads((folder / "out/summary.json").read_text())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Return summary of a training and the operator's block."""
    told = trained(tmp_path_factory.mktemp("fno"), FNO, FIT)
    return told, {"type": "fno", "checkpoint": told["bundle"], "sha256": told["sha256"]}


def deck(stepper, size="1", cells=CELLS, physics=PHYSICS, start=START):
    """Return the text of a run."""
    names = {"START": start, "CELLS": cells, "PHYSICS": physics, "SIZE": size, "STEPPER": json.dumps(stepper)}
    text = RUN
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def ran(folder, text, name="run", ranks=1, *more):
    """Run a deck and return summary and velocities."""
    (folder / "deck.yaml").write_text(text)
    ended = crew.plexus(folder, "run", "deck.yaml", "-o", name, *more, ranks=ranks)
    assert ended.code == 0, ended.err
    told = json.loads((folder / name / "summary.json").read_text())
    with h5py.File(next((folder / name).glob("*.vtkhdf"))) as file:
        values = file["VTKHDF/CellData/velocity"][()]
    return told, values[-32:]


def surrogate(operator, **more):
    return {"type": "surrogate", "operator": operator, **more}


def test_the_network_beats_its_rival_or_says_so(bundle):
    """Each row of the validation has the regression beside it, and all its errors are finite."""
    rows = bundle[0]["validation"]
    assert len(rows) == 2
    assert all(0 < row["value"] < 0.1 and 0 < row["baselines"]["pca"] < 1 for row in rows)


def test_it_takes_the_steps_and_is_not_replaced(bundle, tmp_path):
    told, found = ran(tmp_path, deck(surrogate(bundle[1])))
    _, true = ran(tmp_path, deck("ssp_rk").replace("step: 0.1", "step: 0.002"), "classical")
    guard = told["guards"]["time.stepper.operator"]
    assert told["steps"] == 2 and told["status"] == "done"
    assert guard["steps"] == 2 and guard["mean_outside"] == 0 and guard["largest_range"] < 1
    assert np.linalg.norm(found - true) < 0.3 * np.linalg.norm(true)


def test_what_lies_outside_of_the_training_is_computed_classically(bundle, tmp_path):
    """Five times the amplitude: steps are refused and counted, the run ends as degraded."""
    told, found = ran(tmp_path, deck(surrogate(bundle[1], courant=0.5), "5"))
    guard = told["guards"]["time.stepper.operator"]
    assert told["status"] == "degraded" and guard["mean_outside"] > 0.1 and not guard["holds"]
    _, true = ran(tmp_path, deck("ssp_rk", "5").replace("step: 0.1", "step: 0.0005"), "classical")
    assert np.linalg.norm(found - true) < 0.1 * np.linalg.norm(true)


def test_out_of_range_may_be_counted_only_or_end_the_run(bundle, tmp_path):
    told, _ = ran(tmp_path, deck(surrogate({**bundle[1], "guard": {"outside": "log"}}), "5"))
    assert told["guards"]["time.stepper.operator"]["mean_outside"] > 0
    (tmp_path / "deck.yaml").write_text(deck(surrogate({**bundle[1], "guard": {"outside": "stop"}}), "5"))
    ended = crew.plexus(tmp_path, "run", "deck.yaml", "-o", "stopped")
    assert ended.code and "time.stepper.operator: a step was outside of its range" in ended.err


def test_balance_and_residual_are_measured_where_they_are_asked_for(bundle, tmp_path):
    """A limit that no network keeps refuses all steps: the result is the classical one, its total exact."""
    limits = {"balance": 1e-14, "residual": 10, "max_fraction": 1}
    told, _ = ran(tmp_path, deck(surrogate({**bundle[1], "guard": limits})))
    guard = told["guards"]["time.stepper.operator"]
    assert guard["largest_balance"] > 1e-14 and 0 < guard["largest_residual"] < 10
    assert guard["mean_outside"] == 1 and told["status"] == "done"
    first, _ = ran(tmp_path, deck("ssp_rk").replace("step: 0.1", "step: 0.002"), "classical")
    assert told["quantities"]["total"] == pytest.approx(first["quantities"]["total"], abs=1e-14)


def test_means_are_put_back(bundle, tmp_path):
    """The total at the end is that of the start, to rounding; with sides or a source that is refused."""
    text = deck(surrogate(bundle[1], polish="balance"))
    told, _ = ran(tmp_path, text)
    first, _ = ran(tmp_path, deck("ssp_rk").replace("step: 0.1", "step: 0.002"), "classical")
    assert told["quantities"]["total"] == pytest.approx(first["quantities"]["total"], abs=1e-14)
    assert told["guards"]["time.stepper.operator"]["mean_outside"] == 0
    (tmp_path / "deck.yaml").write_text(text)
    polished = load(tmp_path / "deck.yaml")
    with pytest.raises(InputError, match=r"time\.stepper\.polish: means are not kept here"):
        _leap(polished, {"time.stepper.operator": None}, closed=False)


def test_members_of_an_ensemble_fail_one_by_one(bundle, tmp_path):
    text = deck(surrogate(bundle[1])) + "ensemble: {members: 3, perturbation: 0.01}\n"
    text = text.replace("of: velocity", "of: velocity_mean").replace(
        "type: fields, every: end", "type: progress"
    )
    (tmp_path / "deck.yaml").write_text(text)
    ended = crew.plexus(tmp_path, "run", "deck.yaml", "-o", "run")
    assert ended.code == 0, ended.err
    guard = json.loads((tmp_path / "run/summary.json").read_text())["guards"]["time.stepper.operator"]
    assert guard["mean_outside"] == 0 and guard["steps"] == 2


def test_a_restart_equals_the_whole_run(bundle, tmp_path):
    text = deck(surrogate(bundle[1])).replace(
        "[{type: fields", "[{type: checkpoint, every: 1 steps}, {type: fields"
    )
    _, whole = ran(tmp_path, text, "whole")
    ran(tmp_path, text.replace("end: 0.2", "end: 0.1"), "half")
    told, rest = ran(tmp_path, text, "half", 1, "--restart")
    assert told["guards"]["time.stepper.operator"]["steps"] == 2
    assert np.array_equal(rest, whole)


def test_the_same_weights_serve_other_grids(bundle, tmp_path):
    finer = ran(tmp_path, deck(surrogate(bundle[1]), cells=CELLS.replace("32", "96")))[1]
    assert np.isfinite(finer).all()


def test_two_ranks_give_what_one_gives(bundle, tmp_path):
    text = deck(surrogate({**bundle[1], "precision": "fp64"}))
    told, whole = ran(tmp_path, text)
    both, parts = ran(tmp_path, text, "both", 2)
    assert np.abs(whole - parts).max() <= 1e-12
    one, two = (t["guards"]["time.stepper.operator"] for t in (told, both))
    assert one.pop("largest_range") == pytest.approx(two.pop("largest_range"), rel=1e-12) and one == two


WRONG = {
    "steps of 0.1 s, the run 0.05 s": lambda d: d.replace("step: 0.1", "step: 0.05"),
    "trained on a box of 1 m, the mesh is one of 2 m": lambda d: d.replace(CELLS, CELLS.replace("[1", "[2")),
    "trained for viscosity 0.05, the run has 0.1": lambda d: d.replace("viscosity: 0.05", "viscosity: 0.1"),
    "the bundle was trained without source": lambda d: d.replace("viscosity:", "source: 1, viscosity:"),
    "trained for viscosity 0.05, the run has an expression": lambda d: d.replace("0.05 m^2/s", "0.05 + 0*x"),
    "4 modes along x need 8 cells, the mesh has 6": lambda d: d.replace("cells: [32]", "cells: [6]"),
    "the bundle maps velocity [m/s]; the model has concentration": lambda d: d.replace(
        PHYSICS, "{type: advection_diffusion, velocity: [1 m/s], reconstruction: weno5}"
    ).replace("velocity:", "concentration:", 0).replace("{velocity: 1*start}", "{concentration: 1}").replace(
        "of: velocity", "of: concentration"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_does_not_fit_is_refused_with_line_and_reason(bundle, tmp_path, text):
    changed = WRONG[text](deck(surrogate(bundle[1])))
    (tmp_path / "deck.yaml").write_text(changed)
    ended = crew.plexus(tmp_path, "check", "deck.yaml")
    told = ended.out + ended.err
    line = 1 + changed.splitlines().index(next(x for x in changed.splitlines() if x.startswith("time:")))
    assert ended.code and text in told and f"deck.yaml:{line}:" in told, told


def test_an_untrained_operator_is_refused_in_a_run(tmp_path):
    (tmp_path / "deck.yaml").write_text(deck(surrogate({"type": "fno", "modes": [4]})))
    ended = crew.plexus(tmp_path, "check", "deck.yaml")
    assert ended.code and "checkpoint is missing: fno is learned; name its bundle" in ended.out + ended.err


def test_fallback_must_be_explicit(bundle, tmp_path):
    (tmp_path / "deck.yaml").write_text(deck(surrogate(bundle[1], fallback="bdf2")))
    ended = crew.plexus(tmp_path, "check", "deck.yaml")
    assert ended.code and "bdf2 is no explicit method: take ssp_rk or runge_kutta" in ended.out + ended.err


def test_principal_components_are_solved_for(tmp_path):
    """The regression reproduces a linear problem; another grid is refused by name."""
    told = trained(tmp_path, "{type: pca, components: 9}", "[direct]")
    block = {"type": "pca", "checkpoint": told["bundle"], "sha256": told["sha256"]}
    one, two = (ran(tmp_path, deck(surrogate(block)), str(n), n)[1] for n in (1, 2))
    assert np.abs(one - two).max() <= 1e-12
    (tmp_path / "deck.yaml").write_text(deck(surrogate(block), cells=CELLS.replace("32", "64")))
    ended = crew.plexus(tmp_path, "check", "deck.yaml")
    assert ended.code and "pca knows the 32 cells of its training, the mesh has 64" in ended.out + ended.err


def test_direct_is_for_parts_that_are_solved_for(tmp_path):
    (tmp_path / "reference.yaml").write_text(REFERENCE)
    (tmp_path / "deck.yaml").write_text(TRAINING.replace("OPERATOR", FNO).replace("STAGES", "[direct]"))
    ended = crew.plexus(tmp_path, "check", "deck.yaml")
    assert (
        ended.code and "fno is not solved for but fitted in steps: use the stage fit" in ended.out + ended.err
    )


def test_bundle_names_its_grid(bundle):
    from plexus.bundles import container

    told = container.read(Path(bundle[0]["bundle"]), bundle[0]["sha256"]).metadata
    assert told["domain"]["cells"] == [32] and told["window"] == {
        "step": 0.1,
        "unit": "s",
        "bounded": [False],
    }
    assert told["training"]["parameters"]["viscosity"]["low"] == 0.05
