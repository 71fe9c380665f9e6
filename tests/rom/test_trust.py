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
from plexus.reduction.coverage import quantile
from plexus.reduction.gappy import Gappy, floor
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


def started(folder, heat=KNOWN, full=False, comm=COMM, **rom):
    """Return a run by the reduced model, or by the full one."""
    block = {"type": "galerkin", "file": str(folder / "rom.h5"), "imbalance": 1, **rom}
    blocks = {} if full else {"rom": block}
    run = compose(deck(folder, heat, **blocks), context.create(comm, folder))
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
    return {heat: marched(started(made[0], heat, full=True)) for heat in (KNOWN, OTHER)}


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
@pytest.mark.pair
def test_alarms_complete_the_model(made, truth):
    run = started(made[0], OTHER, new_shapes="respond", indicator={"tolerance": 0.02})
    found, record = marched(run), run.system.trust.record
    assert 1 <= len(record.enriched) <= 6 and record.full_since is None
    assert max(apart(truth[OTHER], found, 0)) <= 1e-2 and max(apart(truth[OTHER], found, 1)) <= 2e-2
    # steps that the full model took are its own, up to what went before
    assert run.system.model.basis.shape[2] > made[1]["modes"]


@pytest.mark.mpi
def test_it_goes_on_as_it_was_after_an_enrichment(made):
    """A checkpoint has the completed model; ranks of any number go on with what one wrote."""
    begin = {"new_shapes": "respond", "indicator": {"tolerance": 0.02}, "tolerance": 1e-11}
    whole = started(made[0], OTHER, comm=MPI.COMM_SELF, **begin)
    path = made[0] / f"alone{COMM.rank}" / "checkpoint_00000007.h5"
    path.parent.mkdir(exist_ok=True)
    for state in whole.march():
        if state.step == 7:
            save(whole, path)
            assert whole.system.trust.record.enriched
    again = started(made[0], OTHER, **begin)
    resume(again, str(made[0] / "alone0" / path.name), made[0])
    marched(again)
    alone, together = sizes(whole, MPI.COMM_SELF), sizes(again, COMM)
    assert np.abs(together / alone - 1).max() <= 1e-10
    assert again.system.trust.record.enriched == whole.system.trust.record.enriched


def sizes(run, comm):
    """Return |u|² and |p|² at the end of a run."""
    body, full = run.fields.state, run.system.body
    u = body.values["displacement"][: full.spaces["displacement"].n_owned]
    p = body.internal["p"][: full.points["p"].n_owned]
    return comm.allreduce(np.array([float((u**2).sum()), float((p**2).sum())]))


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


def test_fields_by_fits_are_those_of_the_replay_on_known_loads(made, truth):
    """On the load of the training the fitted memory is that of the full model; no point is marched for it."""
    run = started(made[0], duals="gappy")
    assert max(apart(truth[KNOWN], marched(run), 1)) <= 1e-4
    other = marched(started(made[0], OTHER, duals="gappy", new_shapes="respond"))
    replayed = marched(started(made[0], OTHER, new_shapes="respond"))
    assert max(apart(truth[OTHER], replayed, 1)) < 0.5 * max(apart(truth[OTHER], other, 1))


def test_calibrated_it_bounds_the_error(made, tmp_path):
    """Two trajectories are enough for a coverage of 0.6; the bound is the larger of their ratios."""
    with pytest.raises(InputError, match=r"0\.6 needs 2 trajectories in .*, the file has 0"):
        started(made[0], indicator={"coverage": 0.6})
    others = [{"physics.temperature": f"293.15 + {OTHER.replace('0.8', x)}"} for x in ("0.7", "0.9")]
    block = {"calibration": others}
    facts = reduce(deck(tmp_path, reduce=block), context.create(COMM, tmp_path))[1]
    ratios = facts["ratios"]
    for one, ratio in zip(facts["trajectories"], ratios, strict=True):
        assert max(np.divide(one["error"], one["indicator"])) == ratio and one["time"][-1] == 1.5
    assert len(ratios) == 2 and all(0 < r <= 3.5 for r in ratios)
    run = started(tmp_path, indicator={"coverage": 0.6})
    assert run.system.trust.terms.factor == max(ratios)
    with pytest.raises(InputError, match=r"the deck has no physics\.heat"):
        wrong = {"calibration": [{"physics.heat": 1}]}
        reduce(deck(tmp_path, reduce=wrong), context.create(COMM, tmp_path))


def test_quantiles_of_few_trajectories():
    """Nine tell 0.9 by their largest, and no fewer do."""
    assert quantile(range(9), 0.9) == 8 and quantile(range(19), 0.9) == 17
    with pytest.raises(InputError, match="needs 9 trajectories"):
        quantile(range(8), 0.9)


def test_gappy_needs_points_that_tell_modes_apart(made):
    run = started(made[0], indicator={})
    points, modes = run.system.model.points, run.system.model.kept.duals["p"]
    same = np.concatenate([modes, modes], axis=2)
    with pytest.raises(InputError, match="do not determine the basis of p"):
        Gappy("p", same, points)
    with pytest.raises(InputError, match="no basis of q"):
        started(made[0], indicator={"of": "q"})


@pytest.mark.parametrize("off", [0.5, 1e-3, 1e-5, 1e-12])
def test_the_indicator_keeps_its_digits_when_it_is_small(made, off):
    """A difference of squares cancels; what is left of a value just outside of the basis must not."""
    run = started(made[0], indicator={"tolerance": 0.02})
    gappy = run.system.trust.gappy
    rng = np.random.default_rng(2)
    inside = gappy.q @ rng.standard_normal(gappy.q.shape[1])
    outside = rng.standard_normal(len(inside))
    outside -= gappy.q @ (gappy.q.T @ outside)
    p = inside / np.linalg.norm(inside) + off * outside / np.linalg.norm(outside)
    found = gappy.missed(p.reshape(-1, gappy.width)[gappy.points.places], 0.0)
    assert found == pytest.approx(off / (1 + off**2) ** 0.5, rel=1e-6, abs=1e-15)


def test_little_at_the_points_counts_in_full_as_long_as_a_basis_could_have_it(made):
    """A thousandth of the training's largest p is judged as all of it; what no basis has is nothing."""
    run = started(made[0], indicator={})
    trust, facts = run.system.trust, run.system.model.facts
    gappy, largest = trust.gappy, facts["largest"]["p"]
    p = np.random.default_rng(3).standard_normal(gappy.points.n_global)
    p *= largest / (p @ p / len(p)) ** 0.5
    whole, *less = (
        gappy.missed(f * p[gappy.points.places, None], trust.floor) for f in (1, 2e-3, 2e-4, 1e-6)
    )
    assert less[:2] == pytest.approx([whole, whole], rel=1e-6) and less[2] == pytest.approx(
        0.01 * whole, rel=1e-6
    )
    assert floor(facts, "p") == 1e-4 * largest
    # a model that left out more knows less of what is small, and files of before do not tell
    assert floor(facts | {"memory_tolerance": 3e-6}, "p") == pytest.approx(3e-4 * largest)
    for coarse in (
        facts | {"memory_tolerance": 1e-2},
        {k: v for k, v in facts.items() if k != "memory_tolerance"},
    ):
        assert floor(coarse, "p") == 1e-3 * largest
