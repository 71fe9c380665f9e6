"""The law marched along known displacements: cells one after the other as the whole body step by step."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI
from rom.test_reduced_runs import LAW

from plexus.compose import compose
from plexus.coupling.wholebody import WholeBody
from plexus.deck.schema import Deck
from plexus.protocols import Since
from plexus.runtime import context
from plexus.spaces.following import Reached, followed

COMM = MPI.COMM_WORLD
SOFTER = {**LAW, "yield_stress": "30e6 - 1e5*(temperature - 293.15)"}
CONTROLS = {
    "hot": {"type": "nodal", "unit": "K", "start": "60*exp(-2*x)"},
    "rise": {"type": "table", "unit": "1", "knots": ["0 s", "1 s", "2 s"], "start": [0, 1, 0.4]},
}  # fmt: skip


def system(folder, cell, **physics):
    """Return the full system of a plate whose temperature has a control of place and one of time."""
    data = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": cell, "cells": [5, 4], "size": [1, 0.6]},
        "controls": CONTROLS,
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "law": SOFTER,
                    "temperature": "293.15 + hot*rise + 3*t*y", **physics},
        "boundary": [{"on": "left", "displacement": [0, 0]}],
        "time": {"stepper": "quasistatic", "step": 0.5, "end": 2},
    }  # fmt: skip
    deck = Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})
    return compose(deck, context.create(COMM, folder)).system


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("cell", "physics"),
    [
        ("triangle", {"degree": 2, "locking": "b_bar", "quadrature": "reduced"}),
        ("triangle", {"degree": 2, "locking": "b_bar", "normal_strain": "1e-4*t*(1 + x*y)"}),
        ("quadrilateral", {"degree": 2, "locking": "b_bar"}),
        ("quadrilateral", {"degree": 1}),
    ],
)
def test_cells_march_as_the_body_does(tmp_path_factory, cell, physics):
    folder = Path(COMM.bcast(str(tmp_path_factory.mktemp("replay")) if COMM.rank == 0 else None))
    full = system(folder, cell, **physics)
    form, memory = full.forms["displacement"], full.begin()
    x, y = form.space.points.T
    path = [
        Reached(t, 0.5, 3e-3 * t * np.column_stack([x * (1 + y**2), -0.4 * y + 0.1 * t * x * y]))
        for t in (0.5, 1.0, 1.5, 2.0)
    ]
    start = {name: a.copy() for name, a in memory.items()}
    found, wanted = followed(form, path, memory), memory
    for t, dt, u in path:
        wanted = form.advance(t, u, None, {"displacement": u, **wanted}, Since(dt, wanted))
    assert max(COMM.allgather(wanted["p"].max(initial=0.0))) > 1e-3
    for name, rows in wanted.items():
        np.testing.assert_array_equal(memory[name], start[name], err_msg="what was given stays as it is")
        np.testing.assert_allclose(found[name], rows, rtol=0, atol=1e-13 * max(1e-3, abs(rows).max()))
    # a control that has changed in between is not that of before
    full.controls.put({"hot": 2.0 * full.controls.own["hot"]})
    other = followed(form, path, memory)
    assert max(COMM.allgather(abs(other["p"] - found["p"]).max(initial=0.0))) > 1e-6


def test_displacements_have_the_same_digits_however_many_are_made_at_a_time():
    rng = np.random.default_rng(0)
    whole = SimpleNamespace(modes=rng.normal(size=(501, 2, 7)), correction=rng.normal(size=(501, 2)))
    steps = [*rng.normal(size=(16, 7)), rng.normal(size=5)]
    together = WholeBody.along(whole, steps, 17)
    for first, last in ((0, 1), (3, 8), (16, 17)):
        some = WholeBody.along(whole, steps[first:last], 17)
        np.testing.assert_array_equal(some, together[first:last])
    np.testing.assert_allclose(together[-1], WholeBody.combined(whole, steps[-1]), rtol=0, atol=1e-13)
