"""Trainings of a learned multigrid: from a deck to a bundle that runs, the same on any ranks."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI

from plexus import driver, registry
from plexus.cli import main
from plexus.deck.load import load
from plexus.errors import DeckError, InputError
from plexus.learning.stages._solves import Solves
from plexus.learning.stages.conjugate_gradients import ConjugateGradientsParams
from plexus.learning.team import Team
from plexus.protocols import Setting
from plexus.solvers.multigrid import bundle
from plexus.solvers.preconditioners.learned_multigrid import LearnedMultigrid, LearnedMultigridParams
from plexus.tasks import Request, named

DECK = """
plexus: 1
physics: {{type: matrix, problem: {{type: channels, cells: [8, 8, 8], seed: 2000, contrast: 100}}}}
solver: {{u: {{rtol: 1e-8, preconditioner: {chosen}}}}}
quantities: {{largest: {{type: maximum, of: u}}}}
"""
SYSTEMS = {"problems": [{"type": "channels", "cells": [8, 8, 8], "seed": 0}], "seeds": [0, 3]}
TRAIN = """
train:
  data: {type: systems, problems: [{type: channels, cells: [8, 8, 8], seed: 0, contrast: 100}], seeds: [0, 3]}
  stages:
    - {type: conjugate_gradients, steps: 4, iterations: 3}
    - {type: conjugate_gradients, steps: 2, iterations: 5, objective: count}
  validation: {type: systems, seeds: [1000, 1002]}
"""


def train(folder, name="out", *overrides):
    path = folder / "train.yaml"
    path.write_text(DECK.format(chosen="{type: learned_multigrid, cycle: k}") + TRAIN)
    assert driver.perform(Request(path, overrides, folder / name), named("train")) == 0
    return json.loads((folder / name / "summary.json").read_text())


def test_a_bundle_runs_and_is_told_from_others(tmp_path, capsys):
    told = train(tmp_path)
    path, sha256 = told["bundle"], told["sha256"]
    rows = {row["metric"]: row for row in told["validation"]}
    assert rows["iterations"]["baselines"]["aggregation"] >= 3
    assert told["quantities"]["validation.iterations"] <= rows["iterations"]["baselines"]["aggregation"]
    assert bundle.trained_for(path) == {
        "cycle": "k", "degree": 3, "theta": 0.05, "over_correction": 2.0, "block": 1
    }  # fmt: skip
    found = bundle.load(path, sha256)
    assert np.isfinite(found.low).all()
    assert (found.low < found.high).all()

    deck = tmp_path / "run.yaml"
    deck.write_text(DECK.format(chosen=f"{{type: learned_multigrid, bundle: {path}, sha256: {sha256}}}"))
    assert main(["run", str(deck), "-o", str(tmp_path / "run")]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["guards"]["solver.u.preconditioner"]["solves"] == 1
    assert summary["guards"]["solver.u.preconditioner"]["mean_outside"] == 0

    blob = bytearray((tmp_path / "out" / "bundle.safetensors").read_bytes())
    blob[-1] ^= 1
    (tmp_path / "altered.safetensors").write_bytes(blob)
    wrong = hashlib.sha256(blob).hexdigest()
    with pytest.raises(InputError, match=r"altered|hash|digest"):
        bundle.load(tmp_path / "altered.safetensors", wrong)
    deck.write_text(DECK.format(chosen=f"{{type: learned_multigrid, bundle: {path}, sha256: {wrong}}}"))
    assert main(["check", str(deck)]) == 2
    assert "run.yaml:4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ("learned_multigrid", "bundle is missing: learned_multigrid is learned"),
        ("{type: learned_multigrid, bundle: nothing}", "no bundle 'nothing' is shipped; there are "),
    ],
)
def test_a_run_needs_a_bundle(chosen, text, tmp_path, capsys):
    deck = tmp_path / "run.yaml"
    deck.write_text(DECK.format(chosen=chosen))
    assert main(["check", str(deck)]) == 2
    assert text in capsys.readouterr().err


def test_systems_need_a_seed(tmp_path):
    path = tmp_path / "train.yaml"
    given = TRAIN.replace(
        "{type: channels, cells: [8, 8, 8], seed: 0, contrast: 100}", "{type: plates, cells: [8, 8, 8]}"
    )
    path.write_text(DECK.format(chosen="learned_multigrid") + given)
    with pytest.raises(DeckError, match="plates draws nothing"):
        load(path)


@pytest.mark.parametrize(
    ("stages", "validation", "text"),
    [
        ("[fit]", "{type: systems, seeds: [5, 6]}", "fit needs targets, which data of type systems lack"),
        (
            "[conjugate_gradients]",
            "{type: files, files: [a.csv], columns: {factor: b}}",
            "files has no systems",
        ),
    ],
)
def test_systems_have_no_answers(stages, validation, text, tmp_path):
    """Neither to be fitted nor to be judged by."""
    (tmp_path / "a.csv").write_text("b\n1\n")
    path, data = tmp_path / "train.yaml", TRAIN.splitlines()[2]
    blocks = f"train:\n{data}\n  stages: {stages}\n  validation: {validation}\n"
    path.write_text(DECK.format(chosen="learned_multigrid") + blocks)
    with pytest.raises(DeckError, match=text):
        load(path)


@pytest.mark.mpi(min_size=2)
def test_the_loss_of_a_batch_is_a_sum_over_ranks():
    cls = registry.component("data", "systems")
    data = cls.cls(cls.params.model_validate(SYSTEMS))
    part = LearnedMultigrid(LearnedMultigridParams(cycle="k"))
    part.prepare(Setting())
    stage = ConjugateGradientsParams(batch=3, iterations=3)
    losses = []
    for team in (Team(), Team(MPI.COMM_WORLD)):
        session = SimpleNamespace(
            plan=SimpleNamespace(seed=5), position=SimpleNamespace(stage=0), team=team, part=part, data=data,
            samples=SimpleNamespace(total=data.total),
        )  # fmt: skip
        losses.append(float(team.sum(Solves(session, stage).part(2))))
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)
