"""A body that ratchets away from the basis of its first cycles: full steps of later cycles bring it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from rom.test_reduced_runs import LAW

from plexus.compose import compose
from plexus.coupling.refresh import Refresh
from plexus.deck.schema import Deck
from plexus.errors import GuardError
from plexus.io.restart import resume, save
from plexus.offline.main import reduce
from plexus.protocols import Instant
from plexus.run import report
from plexus.runtime import context
from plexus.stepping.turns import Turns

COMM = MPI.COMM_WORLD
CYCLES = 16
WEAK = {**LAW, "yield_stress": "30 MPa", "back_stresses": [{"modulus": "20 GPa", "recall": 300}],
        "viscosity": {"drag": "200 MPa", "exponent": 5}}  # fmt: skip
LIFE = {"type": "smith_watson_topper", "strength": "1500 MPa", "strength_exponent": -0.12, "ductility": 0.4,
        "ductility_exponent": -0.6}  # fmt: skip


def deck(folder, cycles, **blocks):
    """Return a plate with a step in its pull, which is unloaded again and again."""
    data = {
        "plexus": 1,
        "tables": {"pull": {"times": [0, 1, 3, 4], "values": [0, 1, 1, 0], "period": 4}},
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [6, 4], "size": [1, 0.6]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": WEAK,
                    "temperature": "293.15 + 40*pull(t)*exp(-8*((x - 0.5)^2 + (y - 0.3)^2))"},
        "boundary": [{"on": "left", "displacement_x": 0}, {"on": "bottom", "displacement_y": 0},
                     {"on": "right", "traction": ["1.6e8*pull(t)*(1.2 - y)", 0]}],
        "time": {"stepper": "quasistatic", "step": 0.5, "cycles": cycles},
        "solver": {"displacement": {"snes_rtol": 1e-10, "ksp": "preonly", "preconditioner": "mumps"}},
        "quantities": {"life": {"type": "shortest_life"}, "p": {"type": "maximum", "of": "p"}},
        "output": [{"type": "cycles", "last": 1, "life": LIFE}, {"type": "series", "every": "end"}],
        **blocks,
    }  # fmt: skip
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the reduced model of two cycles; return its folder, life and p of the full model after all."""
    folder = Path(COMM.bcast(str(tmp_path_factory.mktemp("drift")) if COMM.rank == 0 else None))
    reduce(deck(folder, 2, reduce={}), context.create(COMM, folder))
    return folder, executed(compose(deck(folder / "full", CYCLES), started(folder, "full")))


def started(folder, name):
    """Return the context of a run in a folder of its own. Collective."""
    if COMM.rank == 0:
        (folder / name).mkdir(exist_ok=True)
    COMM.barrier()
    return context.create(COMM, folder / name)


def reduced(folder, name, cycles=CYCLES, **rom):
    """Return a run by the reduced model."""
    block = {"type": "galerkin", "file": str(folder / "rom.h5"), **rom}
    return compose(deck(folder / name, cycles, rom=block), started(folder, name))


def executed(run):
    """Run to the end; return the quantities there."""
    run.execute()
    return dict(run.values())


@pytest.mark.mpi
@pytest.mark.pair
def test_life_after_a_drift_is_that_of_the_full_model(made):
    """The basis of two cycles has p right and life wrong, and its balance tells; two more mend both."""
    folder, full = made
    plain = reduced(folder, "plain")
    found = executed(plain)
    assert abs(found["p"] / full["p"] - 1) <= 5e-3 and abs(found["life"] / full["life"] - 1) > 0.08
    with pytest.raises(GuardError, match="out of balance"):
        report.facts(plain)
    told = plain.ctx.told
    assert told["steps"] == plain.clock.step > 0 and told["quantities"] == found
    assert told["reduced"]["imbalance"] > told["reduced"]["limit"]
    run = reduced(folder, "refreshed", refresh=[4, 9])
    found = executed(run)
    assert abs(found["p"] / full["p"] - 1) <= 2e-3 and abs(found["life"] / full["life"] - 1) <= 0.03
    told = run.system.counts()["reduced"]
    assert told["refreshed"] == 16 and told["imbalance"] <= 0.05
    solver = report.facts(run)["solver"]["displacement"]
    assert solver["solves"] == run.clock.step and solver["total"] > 0
    assert told["modes"] > plain.system.model.basis.shape[2] and not run.system.model.open


@pytest.mark.mpi
@pytest.mark.pair
def test_it_goes_on_within_a_refreshed_cycle(made):
    """A checkpoint has the model while its points are still those of before."""
    folder, _ = made
    whole = reduced(folder, "whole", cycles=5, refresh=[3])
    for state in whole.march():
        if state.step == 20:
            assert whole.system.model.open
            save(whole, path := folder / "whole" / "checkpoint_00000020.h5")
    again = reduced(folder, "again", cycles=5, refresh=[3])
    resume(again, str(path), folder / "again")
    assert again.system.refreshed == 4
    for _ in again.march():
        pass
    assert again.system.refreshed == whole.system.refreshed == 8
    one, two = sizes(whole), sizes(again)
    assert np.abs(two / one - 1).max() <= 1e-10


def sizes(run):
    """Return |u|², |p|² and |σ|² at the end of a run."""
    body, full = run.fields.state, run.system.body
    u = body.values["displacement"][: full.spaces["displacement"].n_owned]
    n = full.points["p"].n_owned
    rows = [u, body.internal["p"][:n], run.fields.evaluate("stress", "point")[2][:n]]
    return COMM.allreduce(np.array([float((a**2).sum()) for a in rows]))


def test_which_steps_are_full():
    """A step belongs to the cycle that its end lies in."""
    due = Refresh({2, 3}, Turns(start=1.0, period=4.0, total=4, every=1, last=None)).due
    ends = (0.5, 4.0, 4.5, 8.0, 12.0, 12.5)
    assert [due(Instant(1.0 + t, 0.5)) for t in ends] == [False, False, True, True, True, False]


def test_what_has_no_cycles_is_refused(tmp_path):
    (tmp_path / "rom.h5").touch()
    rom = {"type": "galerkin", "file": "rom.h5", "refresh": [4]}
    with pytest.raises(ValueError, match=r"(?s)refresh.*no table of the deck has a period"):
        deck(tmp_path, 2, rom=rom, tables={"pull": {"times": [0, 1], "values": [0, 1]}}, output=[],
             quantities={}, time={"stepper": "quasistatic", "step": 0.5, "end": 4})  # fmt: skip
    with pytest.raises(ValueError, match=r"(?s)refresh.*duals: replay"):
        deck(tmp_path, 2, rom={**rom, "duals": "gappy"})
