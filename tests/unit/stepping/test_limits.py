"""Steps bounded by how much a field may change: no increment passes its limit, and steps grow back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.runtime import context

MOST = 4e-4


def test_no_step_changes_more_than_its_limit(tmp_path: Path) -> None:
    law = {
        "type": "j2", "young_modulus": "200 GPa", "poisson_ratio": 0.3, "yield_stress": "200 MPa",
        "hardening": {"slope": "2 GPa"},
    }  # fmt: skip
    data = {
        "plexus": 1,
        "tables": {"pull": {"times": [0, 1, 2], "values": ["0 mm", "4 mm", "3 mm"]}},
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [1, 1]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": law},
        "boundary": [
            {"on": "left", "displacement_x": 0}, {"on": "bottom", "displacement_y": 0},
            {"on": "right", "displacement_x": "pull(t)"},
        ],
        "time": {"stepper": "quasistatic", "step": 0.5, "end": 2, "adaptive": {"limit": {"p": MOST}}},
    }  # fmt: skip
    deck = Deck.from_plain(
        {"data": data, "path": str(tmp_path / "deck.yaml"), "origins": {}, "overrides": []}
    )
    run = compose(deck, context.create(MPI.COMM_SELF, tmp_path))
    run.observers = []
    times, p = [run.state.t], [run.state.internal["p"].max()]
    for _ in run.march():
        times.append(run.state.t)
        p.append(run.state.internal["p"].max())
    steps, increments = np.diff(times), np.diff(p)
    assert run.controller.rejected > 0 and 1.0 in times
    assert increments.max() <= MOST * (1 + 1e-9)
    # while it flows steps are near the limit, and after the turn, in the elastic range, they grow
    flowing = increments[increments > 0]
    assert np.median(flowing) > 0.5 * MOST
    assert steps[-2] > 2 * steps[np.argmax(increments)]
