"""Reduced models of bodies that are pulled by displacements, bedded on springs, and under total forces."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.errors import InputError
from plexus.offline.main import reduce
from plexus.runtime import context

COMM = MPI.COMM_WORLD
LAW = {
    "type": "chaboche", "young_modulus": "200 GPa", "poisson_ratio": 0.3, "yield_stress": "10 MPa",
    "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
    "viscosity": {"drag": "300 MPa", "exponent": 30},
}  # fmt: skip
PULLED = [
    {"on": "left", "displacement": ["1e-4*sin(t)", 0]},
    {"on": "right", "displacement_x": "2e-3*pull(t)*(1 + y)"},
    {"on": "top", "traction": [0, "2e7*min(t, 1)"]},
]
BEDDED = [
    {"on": "left", "spring": {"normal": "100 GN/m^3", "tangential": "50 GN/m^3"}},
    {"on": "right", "force": {"value": ["1.2e8*pull(t)", "2e7*min(t, 1)"]}},
    {"on": "corner", "force": {"value": ["1e6*pull(t)", 0]}},
]


def deck(folder, boundary, **blocks):
    """Return a plate in two cycles of a table."""
    data = {
        "plexus": 1,
        "tables": {"pull": {"times": [0, 1, 2], "values": [0, 1, 0.2], "period": 2}},
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [6, 4], "size": [1, 0.6],
                 "points": {"corner": "x > 0.999 and y > 0.599"}},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": LAW},
        "boundary": boundary,
        "time": {"stepper": "quasistatic", "step": 0.25, "cycles": 2},
        "solver": {"displacement": {"snes_rtol": 1e-11, "ksp": "preonly", "preconditioner": "mumps"}},
        "quantities": {"p": {"type": "mean", "of": "p"}, "s": {"type": "mean", "of": "von_mises"},
                       "u": {"type": "value", "of": "displacement_x", "at": [0.71, 0.4]},
                       "v": {"type": "mean", "of": "displacement_y"},
                       "r": {"type": "reaction", "of": "displacement", "component": "x", "on": "left"}},
        **blocks,
    }  # fmt: skip
    if "spring" in boundary[0]:
        data["quantities"].pop("r")
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


def marched(folder, boundary, **blocks):
    """Return quantities after each step."""
    run = compose(deck(folder, boundary, **blocks), context.create(COMM, folder))
    run.observers = []
    return [dict(run.values()) for _ in run.march()], run


@pytest.fixture(scope="module", params=[PULLED, BEDDED], ids=["pulled", "bedded"])
def made(request, tmp_path_factory):
    """Make the reduced model; return folder, facts, boundary and quantities of the full model's steps."""
    folder = Path(COMM.bcast(str(tmp_path_factory.mktemp("rom")) if COMM.rank == 0 else None))
    _, facts = reduce(deck(folder, request.param, reduce={}), context.create(COMM, folder))
    return folder, facts, request.param, marched(folder, request.param)[0]


@pytest.mark.mpi
def test_it_gives_what_the_full_model_gives(made):
    folder, facts, boundary, full = made
    rows, run = marched(folder, boundary, rom={"type": "galerkin", "file": str(folder / "rom.h5")})
    assert facts["lifts"] == (2 if boundary is PULLED else 0) and facts["modes"] <= 14
    for name in full[-1]:
        one, two = (np.array([row[name] for row in each]) for each in (full, rows))
        assert np.abs(one - two).max() <= 2e-4 * np.abs(one).max(), name
    assert run.system.counts()["reduced"]["imbalance"] <= 1e-3


@pytest.mark.mpi
@pytest.mark.pair
def test_it_goes_on_as_if_it_had_not_stopped(made):
    folder, _, boundary, _ = made
    rom = {"type": "galerkin", "file": str(folder / "rom.h5")}
    whole, again = (compose(deck(folder, boundary, rom=rom), context.create(COMM, folder)) for _ in range(2))
    for run in (whole, again):
        run.observers = []
    for _ in zip(range(7), whole.march(), strict=False):
        pass
    meta, packed = deepcopy(whole.checkpoint_state()[0]), whole.checkpoint_state()[1]
    assert whole.layout().keys() == packed.keys()
    again.restore_state(meta, {key: rows.copy() for key, (_, rows) in packed.items()})
    for run in (whole, again):
        for _ in run.march():
            pass
    one, two = whole.values(), again.values()
    assert all(two[name] == pytest.approx(value, rel=1e-10) for name, value in one.items())


@pytest.mark.mpi
@pytest.mark.pair
@pytest.mark.parametrize("action", ["enrich", "give_way"])
def test_alarms_lead_back_to_the_full_model(made, action):
    """Twice as far as the training: p appears where there was none."""
    folder, _, boundary, _ = made
    if boundary is not PULLED:
        return
    further = [boundary[0], {**boundary[1], "displacement_x": "2e-3*pull(t)*(1 - y)"}, boundary[2]]
    rom = {"type": "galerkin", "file": str(folder / "rom.h5")}
    with pytest.raises(InputError, match="has not seen the shape of what is prescribed of displacement"):
        marched(folder, further, rom=rom)
    trusted = {"new_shapes": "respond", "indicator": {"tolerance": 0.01}, "on_alarm": action}
    full, (rows, run) = marched(folder, further)[0], marched(folder, further, rom=rom | trusted)
    record = run.system.counts()["reduced"]
    assert record["enriched"] if action == "enrich" else record["full_since"] is not None
    bound = 2e-2 if action == "enrich" else 1e-8
    for name in full[-1]:
        one, two = (np.array([row[name] for row in each]) for each in (full, rows))
        assert np.abs(one - two)[-2:].max() <= bound * np.abs(one).max(), name


def test_models_of_a_dictionary_take_no_prescribed_values(tmp_path):
    (tmp_path / "dictionary.json").write_text("{}")
    rom = {"type": "dictionary", "file": str(tmp_path / "dictionary.json")}
    with pytest.raises(ValueError, match="take no prescribed value but 0"):
        compose(deck(tmp_path, PULLED, rom=rom), context.create(MPI.COMM_SELF, tmp_path))
