"""A guess on the line through the last two states: fewer Newton steps, same solution, exact restart."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.runtime import context


def run(folder: Path, guess: str):
    law = {
        "type": "chaboche", "young_modulus": "200 GPa", "poisson_ratio": 0.3, "yield_stress": "100 MPa",
        "back_stresses": [{"modulus": "60 GPa", "recall": 500}],
        "viscosity": {"drag": "150 MPa", "exponent": 12},
    }  # fmt: skip
    data = {
        "plexus": 1,
        "tables": {"pull": {"times": [0, 4, 8], "values": ["0 mm", "6 mm", "0 mm"]}},
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [3, 3]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": law},
        "boundary": [{"on": "left", "displacement": [0, 0]}, {"on": "right", "displacement_x": "pull(t)"}],
        "time": {"stepper": {"type": "quasistatic", "guess": guess}, "step": 0.5, "end": 8,
                 "controller": "failures"},
        "solver": {"displacement": {"preconditioner": "lu", "ksp": "preonly", "snes_rtol": 1e-11}},
    }  # fmt: skip
    deck = Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})
    found = compose(deck, context.create(MPI.COMM_SELF, folder))
    found.observers = []
    return found


def marched(found, steps: int) -> None:
    for _ in zip(range(steps), found.march(), strict=False):
        pass


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    found = run(tmp_path_factory.mktemp("plain"), "previous")
    marched(found, 16)
    return found


def test_the_same_solution_in_fewer_steps(plain, tmp_path) -> None:
    found = run(tmp_path, "linear")
    marched(found, 16)
    u, v = (r.state.values["displacement"] for r in (plain, found))
    assert np.abs(u - v).max() <= 1e-9 * np.abs(u).max()
    counts = [r.system.solvers["displacement"].tally.newton for r in (plain, found)]
    assert counts[1] < 0.9 * counts[0]


def test_it_goes_on_as_if_it_had_not_stopped(tmp_path) -> None:
    whole, again = run(tmp_path, "linear"), run(tmp_path, "linear")
    marched(whole, 5)
    meta, packed = deepcopy(whole.checkpoint_state()[0]), whole.checkpoint_state()[1]
    again.restore_state(meta, {key: rows.copy() for key, (_, rows) in packed.items()})
    marched(whole, 3)
    marched(again, 3)
    for name, a in {**whole.state.values, **whole.state.internal}.items():
        b = {**again.state.values, **again.state.internal}[name]
        assert np.array_equal(a, b), name
