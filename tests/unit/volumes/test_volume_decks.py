"""Decks of models on cells: steppers reach their orders, steady states, quantities, probes, refusals."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

from plexus import driver
from plexus.deck.load import load
from plexus.errors import DeckError

DIRECT = {"default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-12}}
SHOCK = "-tanh(x/0.2)"
STEADY = {
    "plexus": 1,
    "mesh": {"type": "interval", "cells": 32, "size": 2, "origin": -1},
    "physics": {
        "type": "burgers",
        "viscosity": 0.1,
        "reconstruction": {"type": "muscl", "limiter": "van_leer"},
    },
    "boundary": [{"on": "left", "velocity": SHOCK}, {"on": "right", "velocity": SHOCK}],
    "initial": {"velocity": "-x"},
    "solver": DIRECT,
    "quantities": {"error": {"type": "error", "of": "velocity", "exact": SHOCK}},
}
SQUARES = {"type": "box", "cell": "triangle", "cells": [4, 4]}
DECAY = {
    "plexus": 1,
    "mesh": {"type": "periodic", "cells": [8], "size": [1]},
    "physics": {"type": "advection_diffusion", "velocity": [1], "source": "-concentration^2"},
    "initial": {"concentration": 1},
    "solver": DIRECT,
    "quantities": {"error": {"type": "error", "of": "concentration", "exact": "1/(1 + t)"}},
}


def values(deck: dict[str, Any], folder: Path, expected: int = 0) -> dict[str, float]:
    """Run a deck and return its quantities at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deck.yaml").write_text(yaml.safe_dump(deck, sort_keys=False))
    if expected:
        with pytest.raises(SystemExit) as caught:
            driver.run(folder / "deck.yaml", folder=folder / "out")
        assert caught.value.code == expected
        return {}
    assert driver.run(folder / "deck.yaml", folder=folder / "out") == 0
    found: dict[str, float] = json.loads((folder / "out" / "summary.json").read_text())["quantities"]
    return found


def problem(deck: dict[str, Any], folder: Path) -> str:
    """Return what is wrong with a deck."""
    (folder / "deck.yaml").write_text(yaml.safe_dump(deck, sort_keys=False))
    with pytest.raises(DeckError) as caught:
        load(folder / "deck.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("stepper", "order"),
    [
        ({"type": "ssp_rk", "order": 2}, 2),
        ({"type": "ssp_rk", "order": 3}, 3),
        ({"type": "runge_kutta", "method": "bogacki_shampine"}, 3),
        ({"type": "theta", "theta": 1.0}, 1),
        ({"type": "theta", "theta": 0.5}, 2),
        ({"type": "bdf2"}, 2),
    ],
    ids=str,
)
def test_order_in_time(stepper, order, tmp_path):
    found = []
    for step in (0.04, 0.02):
        deck = DECAY | {"time": {"stepper": stepper, "end": 0.4, "step": step}}
        found.append(values(deck, tmp_path / str(step))["error"])
    observed = math.log2(found[0] / found[1])
    assert order - 0.1 <= observed <= order + 0.5, f"order {observed:.2f}, error {found[1]:.2e}"


def test_a_steady_viscous_shock_is_of_order_two(tmp_path):
    errors = []
    for cells in (32, 64):
        deck = STEADY | {"mesh": STEADY["mesh"] | {"cells": cells}}
        errors.append(values(deck, tmp_path / str(cells))["error"])
    assert math.log2(errors[0] / errors[1]) >= 1.9


def test_a_long_implicit_march_ends_in_the_steady_state(tmp_path):
    time = {"stepper": "theta", "end": 40, "step": 1}
    steady, late = values(STEADY, tmp_path / "steady"), values(STEADY | {"time": time}, tmp_path / "late")
    assert late["error"] == pytest.approx(steady["error"], rel=1e-6)


def test_an_ensemble_is_one_batch_of_runs(tmp_path):
    time = {"stepper": {"type": "ssp_rk"}, "end": 0.2, "step": 0.02}
    members = {"members": 3, "perturbation": 0.1, "seed": 7}
    quantities = {
        "mean": {"type": "integral", "of": "concentration_mean"},
        "spread": {"type": "maximum", "of": "concentration_spread"},
    }
    deck = DECAY | {"time": time, "ensemble": members, "quantities": quantities}
    whole = values(deck | {"output": [{"type": "fields"}]}, tmp_path / "whole")
    parts = []
    for k in range(3):
        block = {"ensemble": members | {"members": 1, "first": k}}
        parts.append(values(deck | block, tmp_path / str(k))["mean"])
    assert whole["mean"] == pytest.approx(np.mean(parts), rel=1e-12)
    assert np.std(parts) > 1e-3
    assert 0.01 < whole["spread"] < 0.3
    implicit = {"stepper": "bdf2", "end": 0.2, "step": 0.01}
    assert values(deck | {"time": implicit}, tmp_path / "implicit")["mean"] == pytest.approx(
        whole["mean"], rel=1e-3
    )
    wrong = deck | {"quantities": {"one": {"type": "integral", "of": "concentration"}}}
    values(wrong, tmp_path / "wrong", expected=2)


def test_adaptive_explicit_steps_keep_the_tolerance(tmp_path):
    time = {"stepper": "ssp_rk", "end": 1, "step": 0.05, "adaptive": {"tolerance": 1e-6}}
    assert values(DECAY | {"time": time}, tmp_path)["error"] < 1e-5


def test_a_step_beyond_the_limit_is_refused(tmp_path, capfd):
    time = {"stepper": "ssp_rk", "end": 1, "step": 0.2}
    values(DECAY | {"time": time}, tmp_path, expected=3)
    text = capfd.readouterr().err
    assert "time step 0.2 s is beyond the stable limit of this explicit method, 0.125 s" in text
    # with failures as the controller the step becomes a stable one
    controlled = time | {"controller": "failures"}
    assert values(DECAY | {"time": controlled}, tmp_path / "shorter")["error"] < 1e-3


def test_quantities_probes_and_files(tmp_path):
    deck = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [8, 4], "size": [2, 1], "origin": [1, 0],
                 "regions": {"first": "x < 2"}},
        "physics": {"type": "advection_diffusion", "velocity": [0, 0], "unit": "K"},
        "initial": {"concentration": "2*x + y"},
        "time": {"stepper": "ssp_rk", "end": 0.2, "step": 0.1},
        "quantities": {
            "integral": {"type": "integral", "of": "concentration"},
            "mean": {"type": "mean", "of": "concentration", "region": "first"},
            "most": {"type": "maximum", "of": "concentration"},
            "least": {"type": "minimum", "of": "concentration - x"},
            "norm": {"type": "norm", "of": "concentration"},
            "there": {"type": "value", "of": "concentration", "at": [1.7, 0.9]},
            "error": {"type": "error", "of": "concentration", "exact": "2*x + y"},
        },
        "output": [{"type": "fields", "every": "1 steps"}, {"type": "probe", "points": [[1, 0], [2.9, 0.4]]}],
    }  # fmt: skip
    found = values(deck, tmp_path)
    x, y = np.meshgrid(1 + (np.arange(8) + 0.5) / 4, (np.arange(4) + 0.5) / 4, indexing="ij")
    c = 2 * x + y
    expected = {
        "integral": c.mean() * 2, "mean": c[:4].mean(), "most": c.max(), "least": (c - x).min(),
        "norm": math.sqrt((c**2).mean() * 2), "there": 4.3, "error": 0.0,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    with h5py.File(tmp_path / "out" / "fields.vtkhdf") as file:
        assert file["VTKHDF/CellData/concentration"].shape[0] == 3 * 32
        np.testing.assert_allclose(file["VTKHDF/CellData/concentration"][:32], c.ravel(), atol=1e-14)
        centres = file["VTKHDF/Points"][:][file["VTKHDF/Connectivity"][:].reshape(32, 4)].mean(1)
        np.testing.assert_allclose(centres[:, :2], np.stack([x.ravel(), y.ravel()], 1), atol=1e-14)
    with h5py.File(tmp_path / "out" / "series.h5") as file:
        table = file["probes/probe"]
        assert table["concentration_0"][-1] == pytest.approx(2.0)
        assert table["concentration_1"][-1] == pytest.approx(6.2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"mesh": SQUARES, "boundary": []}, "mesh.cell: triangle cells are not those of a grid"),
        ({"mesh": {"type": "interval", "cells": 9, "grading": 2}}, "mesh.grading: a grid has equal cells"),
        ({"mesh": {"type": "interval", "cells": 1}}, "mesh.cells: 1 cells along x"),
        ({"boundary": [{"on": "left", "velocity": 1, "outflow": {}}]}, "left has two conditions"),
        (
            {"boundary": [{"on": "left", "flux": "velocity^2"}]},
            "sides of a grid know x, y, z, t and controls that read no field",
        ),
    ],
)
def test_what_does_not_fit_the_grid_is_told(change, text, tmp_path, capfd):
    values(STEADY | change, tmp_path, expected=2)
    assert text in capfd.readouterr().err


def test_what_does_not_go_together_is_told_by_the_check(tmp_path):
    split = STEADY | {"time": {"stepper": "etdrk4", "end": 1, "step": 0.1}}
    assert "'etdrk4' is not for burgers, which works on the cells of a grid" in problem(split, tmp_path)
    walls = STEADY | {"boundary": [{"on": "left", "convection": {"coefficient": 1, "ambient": 1}}]}
    assert "this physics does not accept the boundary term" in problem(walls, tmp_path)
    two = STEADY | {
        "physics": {"type": "advection_diffusion", "velocity": [1, 1]},
        "boundary": [],
        "initial": {},
    }
    assert "velocity" in problem(two | {"quantities": {}}, tmp_path)
