"""A dictionary of reduced models: made of a sweep, recommended by the load, switched in a run, refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from mpi4py import MPI
from rom.runs import COMM, continued, ended, started, together

from plexus.cli import main
from plexus.deck.load import load
from plexus.errors import DeckError, GuardError, InputError
from plexus.offline.dictionary import make, trained
from plexus.reduction.clusters.medoids import Partition
from plexus.reduction.facts import digest
from plexus.runtime import context
from plexus.runtime.first import on_first
from plexus.tasks.reduce import TASK

SWEEP = {"mode": "list", "members": [
    {"parameters.hot": hot, "parameters.peak": peak} for hot in (0.15, 0.85) for peak in (45, 50, 55, 60)
]}  # fmt: skip


def text(**blocks):
    """Return a plate that is held, pulled, and heated near one of its ends."""
    data = {
        "plexus": 1,
        "parameters": {"hot": 0.15, "peak": 50},
        "tables": {"warm": {"times": [0, 1, 2], "values": [0, 1, 0], "period": 2},
                   "left": {"times": [0, 1.999, 2, 4], "values": [1, 1, 0, 0]}},
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [8, 4], "size": [1, 0.5]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": {
            "type": "chaboche", "young_modulus": "200 GPa", "poisson_ratio": 0.3,
            "expansion": {"coefficient": 2e-5}, "yield_stress": "10 MPa",
            "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
            "viscosity": {"drag": "300 MPa", "exponent": 30}},
            "temperature": "293.15 + peak*warm(t)*exp(-8*((x - hot)^2 + y^2))"},
        "boundary": [{"on": "left", "displacement": [0, 0]},
                     {"on": "right", "traction": ["5e7*min(t, 1)", 0]}],
        "time": {"stepper": "quasistatic", "step": 0.25, "end": 2},
        "solver": {"displacement": {"snes_rtol": 1e-10, "ksp": "preonly", "preconditioner": "mumps"}},
        "quantities": {"p": {"type": "maximum", "of": "p"}, "u": {"type": "maximum", "of": "displacement_x"}},
        "reduce": {"type": "dictionary", "tolerance": 1e-5, "cubature": 1e-4, "clusters": 2, "most": 3,
                   "at": 1, "features": 3, "starts": 2},
        "sweep": SWEEP,
        **blocks,
    }  # fmt: skip
    return yaml.safe_dump({k: v for k, v in data.items() if v is not None})


def deck(folder, *overrides, **blocks):
    """Return the deck, read from a file as members are."""
    if COMM.rank == 0:
        (folder / "plate.yaml").write_text(text(**blocks))
    COMM.barrier()
    return load(folder / "plate.yaml", overrides)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the dictionary; return its folder and what is told of it."""
    folder = together(tmp_path_factory.mktemp("dictionary"))
    _, facts = make(deck(folder), context.create(COMM, folder))
    return folder, facts


def marched(folder, *overrides, **rom):
    """Return a run by the dictionary, at its end."""
    chosen = {"rom": {"type": "dictionary", "file": str(folder / "dictionary.json"), **rom}} if rom else {}
    return ended(started(folder, deck(folder, *overrides, **chosen)))


@pytest.mark.mpi
@pytest.mark.pair
def test_the_load_gets_the_model_of_its_cluster(made):
    """Both kinds of loads end in clusters of their own; an unseen peak is recommended its kind's model."""
    folder, facts = made
    assert sorted(facts["sizes"]) == [4, 4] and facts["gains"][1] > 0.5
    labels = json.loads((folder / "dictionary.json").read_text())["about"]["labels"]
    assert len(set(labels[:4])) == len(set(labels[4:])) == 1
    for hot, member in ((0.15, 0), (0.85, 4)):
        given = f"parameters.hot={hot}", "parameters.peak=52"
        run = marched(folder, *given, imbalance=0.05)
        told = run.system.counts()["reduced"]
        assert told["models"] == [labels[member]] and told["probabilities"][0] > 0.5
        assert told["outside"] == 0 and told["modes"] >= facts["modes"][labels[member]]
        full = marched(folder, *given).values()
        assert run.values() == pytest.approx(full, rel=5e-3)


CYCLES = {"stepper": "quasistatic", "step": 0.25, "end": 4}
MOVING = (
    "293.15 + 50*warm(t)*(left(t)*exp(-8*((x - 0.15)^2 + y^2)) + (1 - left(t))*exp(-8*((x - 0.85)^2 + y^2)))"
)


def moving(folder, rom=True):
    """Return a run whose second cycle heats the other end."""
    physics = yaml.safe_load(text())["physics"] | {"temperature": MOVING}
    file = {"type": "dictionary", "file": str(folder / "dictionary.json"), "switch": 2, "imbalance": 0.5}
    blocks = {"rom": file} if rom else {}
    return started(folder, deck(folder, physics=physics, time=CYCLES, **blocks))


@pytest.mark.mpi
@pytest.mark.pair
def test_the_model_changes_with_the_load(made):
    """In the second cycle the other model takes over, with the memory that a replay gives at its points."""
    folder = made[0]
    labels = json.loads((folder / "dictionary.json").read_text())["about"]["labels"]
    run = ended(moving(folder))
    system = run.system
    told = system.counts()["reduced"]
    assert told["models"][-2:] == [labels[0], labels[4]]
    present = system.blocks[labels[4]]
    g = run.state.values["displacement"][:, 0]
    assert (g[present] != 0).any() and not np.delete(g, np.arange(len(g))[present]).any()
    # the memory at the points of all models is that of the replay, through the change
    body = system.remembered(run.state)["p"]
    kept, points = run.state.internal["p"], system.model.points
    apart = np.abs(kept - body[points.rows]).max(initial=0.0)
    assert COMM.allreduce(float(apart), MPI.MAX) <= 1e-12
    full = ended(moving(folder, rom=False))
    assert run.values()["u"] == pytest.approx(full.values()["u"], rel=0.05)


@pytest.mark.mpi
@pytest.mark.pair
def test_it_goes_on_as_if_it_had_not_stopped(made):
    whole, again = continued(moving(made[0]), moving(made[0]), 9)
    assert again.values() == pytest.approx(whole.values(), rel=1e-10)


BOTH = "293.15 + 55*warm(t)*(exp(-8*((x - 0.15)^2 + y^2)) + exp(-8*((x - 0.85)^2 + y^2)))"


def judged(folder, **rom):
    """Return a run, by the full model without ``rom``, that heats both ends; training heats one."""
    physics = yaml.safe_load(text())["physics"] | {"temperature": BOTH}
    file = {"type": "dictionary", "file": str(folder / "dictionary.json"), "tolerance": 1e-11}
    blocks = {"rom": {**file, **rom}} if rom else {}
    return started(folder, deck(folder, physics=physics, **blocks))


@pytest.mark.mpi
@pytest.mark.pair
def test_an_alarm_lets_the_other_model_join(made):
    """It comes before `on_alarm` decides, and brings the run nearer to the full model."""
    folder = made[0]
    full, alone = ended(judged(folder)).values(), ended(judged(folder, imbalance=1))
    run = ended(judged(folder, imbalance=1, indicator={"tolerance": 0.035}, on_alarm="stop"))
    told = run.system.counts()["reduced"]
    assert told["alarms"] == len(told["joined"]) == 1 and told["enriched"] == []
    assert told["modes"] > alone.system.counts()["reduced"]["modes"]
    for name, share in (("u", 0.1), ("p", 0.8)):
        assert abs(run.values()[name] - full[name]) <= share * abs(alone.values()[name] - full[name])
    with pytest.raises(GuardError, match="training has not seen such a state"):
        ended(judged(folder, imbalance=1, indicator={"tolerance": 1e-6}, on_alarm="stop"))


@pytest.mark.mpi
@pytest.mark.pair
def test_a_model_that_joined_is_there_after_a_restart(made):
    """It joins, then full steps complete the model; a restart in between has both."""
    rom = {"indicator": {"tolerance": 0.02}, "imbalance": 1}
    whole, again = continued(judged(made[0], **rom), judged(made[0], **rom), 4)
    one, two = whole.system.trust.record, again.system.trust.record
    assert replace(one, worst=0) == replace(two, worst=0) and one.joined and one.joined[0] <= 1
    assert two.worst == pytest.approx(one.worst, rel=1e-8)
    assert again.values() == pytest.approx(whole.values(), rel=1e-10)


@pytest.mark.mpi
@pytest.mark.pair
def test_what_is_no_dictionary_is_refused(made, tmp_path_factory):
    folder, other = made[0], together(tmp_path_factory.mktemp("wrong"))
    index = json.loads((folder / "dictionary.json").read_text())
    models = [folder / name for name in index["models"]]

    def told(**changes):
        return refused(other, json.dumps(sealed(index | changes)))

    assert "no dictionary of reduced models (kind 'rom'" in told(kind="rom")
    assert "is no file beside it" in told(models=["../a.h5", "b.h5"])
    assert "one has none" in told(models=index["models"][:1])
    assert "dictionary_0.h5: no such file" in told()
    on_first(COMM, lambda: [shutil.copy(model, other / model.name) for model in models] and None)
    assert "dictionary_1.h5 beside it is another model" in told(models=index["models"][::-1])
    # the bundle is not there
    assert "recommendation.safetensors" in told()
    bundle = "recommendation.safetensors"
    on_first(COMM, lambda: (other / bundle).write_bytes((folder / bundle).read_bytes()))
    assert "sha256" in told(sha256="0" * 64)


def sealed(index):
    """Return what a file of these facts would tell."""
    plain = {key: value for key, value in index.items() if key != "digest"}
    return plain | {"digest": digest(plain)}


def refused(folder, text):
    """Write another dictionary into a folder and return why no run takes it. Collective."""
    on_first(COMM, lambda: (folder / "dictionary.json").write_text(text) and None)
    with pytest.raises(InputError) as error:
        marched(folder, imbalance=1.0)
    return str(error.value)


@pytest.mark.mpi
@pytest.mark.pair
def test_a_dictionary_that_was_altered_or_cut_is_refused_by_name(made, tmp_path_factory):
    folder = together(tmp_path_factory.mktemp("altered"))
    names = [path.name for path in made[0].iterdir() if path.is_file()]
    on_first(COMM, lambda: [shutil.copy(made[0] / name, folder / name) for name in names] and None)
    text = (made[0] / "dictionary.json").read_text()
    name = re.escape(str(folder / "dictionary.json"))
    other = text.replace('"clusters": 2', '"clusters": 3')
    assert re.match(f"rom.file: {name}: altered since", refused(folder, other))
    for wrong in (text[: len(text) // 2], "", "[]", "[" * 100_000):
        assert re.match(f"rom.file: {name}: this is no dictionary", refused(folder, wrong))
    model = folder / "dictionary_1.h5"
    on_first(COMM, lambda: model.write_bytes(model.read_bytes()[:-1000]) and None)
    assert "dictionary_1.h5: the file is damaged (it is truncated" in refused(folder, text)


def test_check_looks_at_a_dictionary(made, tmp_path, capsys):
    """It does without mesh and MPI; one of before tells no digests and is taken."""
    index = json.loads((made[0] / "dictionary.json").read_text())
    for name in ("plate.yaml", *index["models"]):
        shutil.copy(made[0] / name, tmp_path)
    path = tmp_path / "dictionary.json"
    rom = {"type": "dictionary", "file": str(path)}
    (tmp_path / "plate.yaml").write_text(text(rom=rom))
    for told, code in ((index, 0), (index | {"unknown": "u"}, 2), (index | {"format": 1}, 0)):
        path.write_text(json.dumps(told))
        assert main(["check", str(tmp_path / "plate.yaml")]) == code
    assert f"rom.file: {path}: altered since" in capsys.readouterr().err


def test_what_no_dictionary_is_made_of_is_refused(tmp_path):
    ctx = context.create(COMM, tmp_path)
    block = {"clusters": 2, "at": 1, "features": 3}

    def told(*overrides, **changes):
        with pytest.raises(InputError) as error:
            make(deck(tmp_path, *overrides, reduce={"type": "dictionary", **block, **changes}), ctx)
        return str(error.value)

    few = ("sweep.members=[{parameters.peak: 50}, {parameters.peak: 60}]",)
    assert "clusters: 3 of 2 members" in told(*few, clusters=3)
    assert "same for all members" in told(*few, at=0)


def test_the_deck_is_checked(tmp_path):
    """What is compared and read must be there, and many runs; all is told with its line."""

    def told(**block):
        (tmp_path / "plate.yaml").write_text(text(reduce={"type": "dictionary", "at": 1, **block}))
        checked = subprocess.run(
            [sys.executable, "-m", "plexus", "check", "plate.yaml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )  # fmt: skip
        return checked.returncode, checked.stdout + checked.stderr

    code, said = told(of="q", load="heat", clusters=9)
    assert code == 2 and "plate.yaml:" in said
    assert "there is no 'q'; there are displacement" in said and "no field 'heat'" in said
    assert "more than the 8 of `most`" in said
    assert "angles compares spaces of the unknown" in told(dissimilarity="angles")[1]
    file = tmp_path / "dictionary.json"
    file.write_text("{}")
    with pytest.raises(DeckError, match=r"where models are switched .* no indicator"):
        deck(tmp_path, rom={"type": "dictionary", "file": str(file), "switch": 2, "indicator": {}})
    alone = deck(tmp_path, sweep=None)
    assert "give a block `sweep`" in TASK.problem(alone)
    assert "many runs, and one is reduced" in TASK.problem(deck(tmp_path, reduce={}))


def test_models_are_trained_on_neighbours_too():
    d = np.abs(np.arange(6.0)[:, None] - np.arange(6))
    part = Partition(np.array([1, 4]), np.array([0, 0, 0, 1, 1, 1]), 1.0)
    assert trained(d, part, 0, 0.4).tolist() == [0, 1, 2, 3]
    assert trained(d, part, 1, 0.0).tolist() == [3, 4, 5]
