"""What models in Fourier space leave out of a start: told by check, run and summary, on any ranks."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from crew import Ended, plexus

from plexus.deck.doubts import doubts
from plexus.deck.load import load
from plexus.discretisations import _starts
from plexus.errors import InputError
from plexus.models.incompressible import IncompressibleModel
from plexus.models.kuramoto import KuramotoModel
from plexus.preview import seen
from plexus.spaces.fourier import Fourier

DECK = """
plexus: 1
mesh: {type: periodic, cells: [15, 15], size: [2*pi, 2*pi]}
physics: {type: navier_stokes, viscosity: 0.01}
initial: {velocity: ["sin(6*y) + 0.7*cos(2*y)", "0.5*sin(y) + 0.6*cos(x)"]}
time: {stepper: ifrk4, end: 0.02 s, step: 0.01 s}
"""
WHOLE = (1 + 0.49 + 0.25 + 0.36) / 2
"""Mean square of the start: sin(6 y) is too short for 15 points, 0.5 sin(y) along y is all divergence."""


def deck(folder: Path, **changes: str):
    text = DECK.replace("2*pi", repr(2 * math.pi))
    old = {"cells": "[15, 15]", "velocity": text.split("velocity: ")[1].split("}")[0]}
    for name, new in changes.items():
        text = text.replace(old[name], new)
    (folder / "deck.yaml").write_text(text)
    return folder / "deck.yaml"


def ran(folder: Path, ranks: int) -> Ended:
    """Run the deck of a folder."""
    return plexus(folder, "run", "deck.yaml", "-o", "out", ranks=ranks)


@pytest.mark.parametrize("dealias", ["two_thirds", "smooth36"])
@pytest.mark.parametrize("cells", [(15, 16), (9, 11, 7)])
def test_the_shares_before_a_run_are_those_of_the_model(cells, dealias):
    size = tuple(1.0 + n for n in range(len(cells)))
    space = Fourier(cells, size, real=True, dealias=dealias)
    u = np.random.default_rng(1).standard_normal((len(cells), *cells))
    model = IncompressibleModel(space, 0.1, lambda: torch.from_numpy(u))
    model.initial()
    found = _starts.lost(u, size, dealias, ("divergence", "short_waves"))
    assert model.lost == pytest.approx(found, rel=1e-10)
    assert 0.2 < found["divergence"] < 0.6


def test_a_line_too():
    space = Fourier((16,), (1.0,), real=True)
    x = np.arange(16) / 16
    u = (np.cos(2 * np.pi * 2 * x) + 2 * np.cos(2 * np.pi * 6 * x))[None]
    model = KuramotoModel(space, lambda: torch.from_numpy(u))
    model.initial()
    assert model.lost == pytest.approx({"short_waves": 0.8})
    assert _starts.lost(u, (1.0,), "two_thirds", ("short_waves",)) == pytest.approx({"short_waves": 0.8})


@pytest.mark.parametrize("ranks", [1, 2])
def test_check_run_and_summary_tell_the_same(tmp_path, ranks):
    path = deck(tmp_path)
    begins = 100 * (1 - 1.25 / 2 / WHOLE)
    text = f"initial.velocity: the run begins with {begins:.3g} % of its energy: 12 % are in divergence"
    assert [line.partition("deck.yaml:5:22: ")[2].startswith(text) for line in seen(load(path))] == [True]
    done = ran(tmp_path, ranks)
    assert done.code == 0, done.err
    assert done.out.count(text) == 1
    start = json.loads((tmp_path / "out/summary.json").read_text())["start"]
    assert start == pytest.approx(
        {"lost": 1.25 / 2 / WHOLE, "divergence": 0.25 / 2 / WHOLE, "short_waves": 1 / 2 / WHOLE}
    )


def test_a_start_that_is_taken_as_it_is_says_nothing(tmp_path, make_run):
    path = deck(tmp_path, velocity='["cos(2*y)", "cos(x)"]')
    assert seen(load(path)) == [] and doubts(load(path)) == []
    run = make_run(path.read_text())
    assert run.system.counts()["start"]["lost"] < 1e-20


def test_a_start_between_the_points_of_the_grid_is_told(tmp_path):
    """On eight points sin(6 y) is sin(-2 y), and nothing of it is lost."""
    found = doubts(load(deck(tmp_path, cells="[8, 8]", velocity='["sin(6*y)", 0]')))
    assert len(found) == 1
    assert "initial.velocity: the grid does not resolve it" in found[0] and "off by" in found[0]
    assert doubts(load(deck(tmp_path, cells="[13, 13]", velocity='["sin(6*y)", 0]'))) == []


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("value", ["sqrt(3-x)", "1/x", "exp(1000*x)"])
def test_a_start_without_a_value_is_refused_by_check_and_run(tmp_path, value, ranks):
    path = deck(tmp_path, velocity=f'["{value}", 0]')
    with pytest.raises(InputError, match=r"deck\.yaml:5:22: initial\.velocity: has no finite value"):
        doubts(load(path))
    done = ran(tmp_path, ranks)
    assert done.code == 2 and "Traceback" not in done.err
    assert "deck.yaml:5:22: initial.velocity: has no finite value" in done.out + done.err


def test_members_of_an_ensemble_begin_without_what_the_model_refuses(tmp_path, make_run):
    path = deck(tmp_path)
    alone = make_run(path.read_text())
    many = make_run(path.read_text() + "ensemble: {members: 3, perturbation: 0.01}\n")
    assert many.system.counts()["start"] == pytest.approx(alone.system.counts()["start"])


@pytest.mark.parametrize(("cells", "number"), [(15, 1), (16, 0)])
def test_random_waves_that_a_grid_cannot_show_are_told(tmp_path, cells, number):
    (tmp_path / "deck.yaml").write_text(
        f"plexus: 1\nmesh: {{type: periodic, cells: [{cells}, 32], size: [10, 10]}}\n"
        "physics: {type: active_fluid, order: 1}\nclosure: bingham\n"
        "time: {stepper: sbdf2, end: 1, step: 0.01}\n"
    )
    found = doubts(load(tmp_path / "deck.yaml"))
    assert len(found) == number
    assert all(
        "mesh.cells: the random waves of the start have up to 8 periods, which 15 points" in d for d in found
    )
