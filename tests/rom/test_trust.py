"""A run that judges its steps: quiet on what it knows, completed by full steps elsewhere, restarted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from rom.test_reduced_runs import LAW

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.errors import GuardError, InputError
from plexus.io.restart import resume, save
from plexus.offline.main import reduce
from plexus.reduction.gappy import Gappy
from plexus.runtime import context

COMM = MPI.COMM_WORLD
KNOWN = "min(t, 1)*25*exp(-8*((x - 0.5)^2 + (y - 0.3)^2))"
OTHER = "min(t, 1)*30*exp(-8*((x - 0.8)^2 + (y - 0.1)^2))"


def deck(folder, heat=KNOWN, **blocks):
    """Return a plate that is pulled and warmed at a spot."""
    data = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [6, 4], "size": [1, 0.6]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1,
                    "law": {**LAW, "yield_stress": "60 MPa"}, "temperature": f"293.15 + {heat}"},
        "boundary": [{"on": "left", "displacement_x": 0}, {"on": "bottom", "displacement_y": 0},
                     {"on": "right", "traction": ["2.2e8*min(t, 1)*(1.2 - y)", 0]}],
        "time": {"stepper": "quasistatic", "step": 0.125, "end": 1.5},
        "solver": {"displacement": {"snes_rtol": 1e-12, "ksp": "preonly", "preconditioner": "mumps"}},
        **blocks,
    }  # fmt: skip
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the reduced model; return its folder and facts."""
    folder = Path(COMM.bcast(str(tmp_path_factory.mktemp("trust")) if COMM.rank == 0 else None))
    return folder, reduce(deck(folder, reduce={"duals": "all"}), context.create(COMM, folder))[1]


def started(folder, heat=KNOWN, file=None, **rom):
    """Return a run by the reduced model, or by the full one for ``rom`` None."""
    block = {"type": "galerkin", "file": str(folder / "rom.h5"), "imbalance": 1, **rom}
    blocks = {} if file is False else {"rom": block}
    run = compose(deck(folder, heat, **blocks), context.create(COMM, folder))
    run.observers = []
    return run


def marched(run):
    """March a run to its end; return what the body was after each step: displacement, p."""
    found = []
    for _ in run.march():
        body = run.fields.state
        n, k = run.system.body.spaces["displacement"].n_owned, run.system.body.points["p"].n_owned
        found.append((body.values["displacement"][:n].copy(), body.internal["p"][:k].copy()))
    return found


def apart(one, two, which):
    """Return the largest difference of two marches, each step relative to the largest state of the first."""
    norm = [COMM.allreduce(float((a[which] ** 2).sum())) for a in one]
    gaps = [COMM.allreduce(float(((a[which] - b[which]) ** 2).sum())) for a, b in zip(one, two, strict=True)]
    return [(g / max(norm)) ** 0.5 for g in gaps]


@pytest.fixture(scope="module")
def truth(made):
    """The full model under the load of the training and under the other one."""
    return {heat: marched(started(made[0], heat, file=False)) for heat in (KNOWN, OTHER)}


def test_its_own_load_raises_no_alarm(made, truth):
    run = started(made[0], indicator={"tolerance": 0.02})
    found = marched(run)
    record = run.system.trust.record
    assert record.looked == len(found) == 12 and record.alarms == 0 and record.worst <= 1e-3
    assert max(apart(truth[KNOWN], found, 0)) <= 1e-4 and max(apart(truth[KNOWN], found, 1)) <= 1e-4


def test_a_shape_that_was_not_seen_is_refused_or_answered(made, truth):
    """With its response the model has the elastic answer; without, such a run does not begin."""
    with pytest.raises(InputError, match="has not seen the shape of the temperature"):
        started(made[0], OTHER)
    found = marched(started(made[0], OTHER, new_shapes="respond"))
    elastic = [k for k, (_, p) in enumerate(truth[OTHER]) if not COMM.allreduce(float(p.max()))]
    gaps = apart(truth[OTHER], found, 0)
    assert elastic and max(gaps[k] for k in elastic) <= 1e-5 < 1e-4 < max(gaps)


@pytest.mark.mpi
def test_alarms_complete_the_model(made, truth):
    run = started(made[0], OTHER, new_shapes="respond", indicator={"tolerance": 0.02})
    found, record = marched(run), run.system.trust.record
    assert 1 <= len(record.enriched) <= 6 and record.full_since is None
    assert max(apart(truth[OTHER], found, 0)) <= 1e-2 and max(apart(truth[OTHER], found, 1)) <= 2e-2
    # steps that the full model took are its own, up to what went before
    assert run.system.model.basis.shape[2] > made[1]["modes"]


@pytest.mark.mpi
def test_it_goes_on_as_it_was_after_an_enrichment(made):
    """A checkpoint has the completed model; other ranks read it as well."""
    begin = {"new_shapes": "respond", "indicator": {"tolerance": 0.02}}
    whole = started(made[0], OTHER, **begin)
    for state in whole.march():
        if state.step == 7:
            break
    assert whole.system.trust.record.enriched
    path = made[0] / "checkpoint_00000007.h5"
    save(whole, path)
    again = started(made[0], OTHER, **begin)
    resume(again, str(path), made[0])
    one, two = marched(whole), marched(again)
    assert max(apart(one, two, 0)) <= 1e-10 and max(apart(one, two, 1)) <= 1e-10
    assert again.system.trust.record == whole.system.trust.record


def test_a_spent_budget_leaves_the_full_model(made, truth):
    rom = {"new_shapes": "respond", "indicator": {"tolerance": 0.02}, "enrichments": 1}
    run = started(made[0], OTHER, **rom)
    found, record = marched(run), run.system.trust.record
    assert record.full_since and len(record.enriched) == 1 and "gave way" in run.replaced[0]
    late = apart(truth[OTHER], found, 0)[-4:]
    assert max(late) <= 1e-2 and run.system.unknowns == 70
    with pytest.raises(GuardError, match="1 enrichments are spent"):
        marched(started(made[0], OTHER, **rom, spent="stop"))
    with pytest.raises(GuardError, match="training has not seen such a state"):
        marched(started(made[0], OTHER, **(rom | {"on_alarm": "stop"})))


def test_what_gave_way_stays_so_after_a_restart(made):
    rom = {"new_shapes": "respond", "indicator": {"tolerance": 0.02}, "on_alarm": "give_way"}
    whole = started(made[0], OTHER, **rom)
    for state in whole.march():
        if state.step == 8:
            break
    path = made[0] / "checkpoint_00000008.h5"
    save(whole, path)
    again = started(made[0], OTHER, **rom)
    resume(again, str(path), made[0])
    assert again.system.full_order and again.replaced == whole.replaced
    assert max(apart(marched(whole), marched(again), 0)) <= 1e-11


def test_gappy_needs_points_that_tell_modes_apart(made):
    run = started(made[0], indicator={})
    points, modes = run.system.model.points, run.system.model.kept.duals["p"]
    same = np.concatenate([modes, modes], axis=2)
    with pytest.raises(InputError, match="do not determine the basis of p"):
        Gappy("p", same, points)
    with pytest.raises(InputError, match="no basis of q"):
        started(made[0], indicator={"of": "q"})
