"""A reduced model marches its own deck as the full model does, restarts, and says what it refuses."""

from __future__ import annotations

import weakref
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rom.runs import COMM, continued, ended, plain, started, together

import plexus_post
from plexus.coupling.nodal import NodalFields
from plexus.coupling.reducedstep import Steps
from plexus.errors import GuardError, InputError
from plexus.offline.main import history_of, reduce
from plexus.reduction.ahead import Ahead
from plexus.reduction.batch import Batch
from plexus.reduction.enrichment import decomposed
from plexus.reduction.measures import weights_of
from plexus.reduction.model import Works, strains_of
from plexus.reduction.points import ReducedPoints, Sites
from plexus.runtime import context
from plexus.spaces import quadrature_space
from plexus_post.reduced.model import read

LAW = {
    "type": "chaboche", "density": 1e4, "young_modulus": "200 GPa", "poisson_ratio": 0.3,
    "expansion": {"coefficient": 2e-5}, "yield_stress": "10 MPa",
    "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
    "viscosity": {"drag": "300 MPa", "exponent": 30},
}  # fmt: skip


def hot(rise):
    """Return the control of the temperature."""
    return {"hot": {"type": "scalar", "unit": "K", "start": f"{rise} K"}}


def deck(folder, **blocks):
    """Return a plate that is pulled, heated and turned, in two cycles."""
    data = {
        "plexus": 1,
        "controls": hot(30),
        "tables": {"pull": {"times": [0, 1, 2], "values": ["0 MPa", "350 MPa", "0 MPa"], "period": 2}},
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [6, 4], "size": [1, 0.6]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": LAW,
                    "temperature": "293.15 + hot*min(t, 1)*exp(-x)", "body_force": ["1e6*min(t, 2)", 0]},
        "boundary": [{"on": "left", "displacement": [0, 0]},
                     {"on": "right", "traction": ["pull(t)*(1 - y)", 0]}],
        "time": {"stepper": "quasistatic", "step": 0.25, "cycles": 2},
        "solver": {"displacement": {"snes_rtol": 1e-11, "ksp": "preonly", "preconditioner": "mumps"}},
        "quantities": {"p": {"type": "maximum", "of": "p"}, "u": {"type": "maximum", "of": "displacement_x"},
                       "s": {"type": "mean", "of": "von_mises"}},
        **blocks,
    }  # fmt: skip
    return plain(folder, data)


@pytest.fixture
def made(plate):
    """Return folder and facts of the reduced model, and quantities of the full run."""
    return plate


def reduced(folder, new="refuse", **blocks):
    """Return the run of the same deck, or one with other blocks, by the reduced model."""
    rom = {"type": "galerkin", "file": str(folder / "rom.h5"), "new_shapes": new}
    return started(folder, deck(folder, rom=rom, **blocks))


@pytest.mark.mpi
def test_it_gives_what_the_full_model_gives(made):
    folder, facts, full = made
    assert facts["modes"] <= 12 and len(facts["names"]) < 96 and facts["error"] <= 1e-5
    places = np.array(facts["places"])
    assert len(np.unique(places, axis=0)) == len(facts["names"])
    assert (places > 0).all() and (places < [1, 0.6]).all()
    run = ended(reduced(folder))
    found = run.values()
    assert all(found[name] == pytest.approx(value, rel=1e-4) for name, value in full.items())
    assert run.system.unknowns == facts["modes"]


def test_its_file_tells_points_and_the_search_for_them_and_its_modes_are_fields(made):
    folder, facts, _ = made
    basis = reduced(folder).system.model.basis
    told, shown = read(folder / "rom.h5"), plexus_post.open(folder / "rom.modes.vtkhdf")
    assert told.modes == len(shown.times) == facts["modes"] == basis.shape[2]
    found = [np.linalg.norm(shown.field("displacement", k), axis=1).max() for k in range(told.modes)]
    np.testing.assert_allclose(found, np.linalg.norm(basis, axis=1).max(axis=0), rtol=1e-12)
    assert told.weights.sum() == pytest.approx(0.6, rel=1e-4)
    assert told.errors[-1] == facts["error"] <= told.target and told.counts[-1] == (told.weights > 0).sum()


@pytest.mark.mpi
def test_it_goes_on_as_if_it_had_not_stopped(made):
    whole, again = continued(reduced(made[0]), reduced(made[0]), 9)
    assert again.values() == pytest.approx(whole.values(), rel=1e-10)


@pytest.mark.mpi
def test_what_is_linear_in_the_displacement_needs_no_fields(made):
    """Its numbers are those of fields; what reads the memory waits for the end where nobody asks."""
    of = {"u": {"type": "mean", "of": "displacement_x - 2*displacement_y"},
          "v": {"type": "value", "of": "displacement_y + x", "at": [0.7, 0.31]},
          "w": {"type": "integral", "of": "displacement_x*x", "on": "right"},
          "f": {"type": "integral", "of": "displacement_x^2"}, "p": {"type": "mean", "of": "p"}}  # fmt: skip
    run = reduced(made[0], quantities=of)
    for _ in zip(range(7), run.march(), strict=False):
        pass
    cheap = run.values(cheap=True)
    assert list(cheap) == ["u", "v", "w"] and len(run.system.whole.replay.steps) == 7
    whole = run.values()
    assert len(whole) == 5 and not run.system.whole.replay.steps
    fields = NodalFields(run.system.full, run.deck.constants)
    fields.look(run.fields.state)
    seen = SimpleNamespace(fields=fields)
    for name, value in cheap.items():
        assert run.quantities[name].evaluate(seen) == pytest.approx(value, rel=1e-10)


@pytest.mark.mpi
def test_the_compiled_step_is_the_one_on_arrays(made):
    run, other = reduced(made[0]), reduced(made[0])
    other.system.steps.compiled = None
    other.system.steps.ahead = Ahead(other.system.steps._conditions, 4.0, 1)
    for _ in zip(run.march(), other.march(), strict=True):
        for name, a in run.state.internal.items():
            b = other.state.internal[name]
            assert np.abs(a - b).max(initial=0) <= 1e-8 * np.abs(b).max(initial=1e-9)
    a, b = (r.state.values["displacement"] for r in (run, other))
    assert np.abs(a - b).max() <= 1e-8 * np.abs(b).max()


@pytest.mark.mpi
def test_ranks_without_points_take_part(made):
    """All points of a cubature may lie in the cells of one rank."""
    run = reduced(made[0])
    system, every = run.system, run.system.model.points
    few = ReducedPoints(every.all, every.every[:1], every.all_weights[:1])
    system.sites = Sites(system.full.forms["displacement"], few, system.given)
    rows = strains_of(system.full.forms["displacement"], few.all, system.model.basis, few.rows)
    system.model = replace(system.model, points=few, strains=rows)
    steps = Steps(system, 4.0)
    assert steps.ahead.most > 1
    data, offset = steps.local(np.array([0.5, 1.0, 1.5]))
    assert data.shape == (3, 10, len(few.rows)) and offset.shape == (3, 6, len(few.rows))
    steps.bodies.put(data[:1], offset[:1])
    force, slope = steps.bodies.assemble(np.zeros(system.model.basis.shape[2]), 0.25)
    assert COMM.allreduce(np.abs(slope).sum()) > 0 and (len(few.rows) > 0 or not np.abs(force).any())


@pytest.mark.mpi
def test_pieces_of_the_body_make_no_difference(made, monkeypatch):
    """Works and decompositions that are made five cells at a time are those of the whole body."""
    system = reduced(made[0]).system
    form, points, kept = system.full.forms["displacement"], system.model.points.all, system.model.kept
    rows = [*np.moveaxis(kept.stresses, 2, 0)][:3]

    def found():
        parts = [*Works(form, points, system.model.basis, kept.stresses)]
        assert [n for part, _ in parts for n in range(points.n_owned)[part]] == [*range(points.n_owned)]
        works, modes = np.hstack([here for _, here in parts]), decomposed(points, rows, weights_of(form))
        return len(parts), works, np.abs(modes)

    _, *whole = found()
    monkeypatch.setattr(quadrature_space, "PIECE", 5)
    count, *others = found()
    assert count == max(-(-points.n_owned // (5 * points.per_cell)), 1)
    for one, two in zip(whole, others, strict=True):
        assert np.abs(one - two).max(initial=0.0) <= 1e-9 * np.abs(one).max(initial=1e-300)


@pytest.mark.mpi
@pytest.mark.pair
def test_states_that_are_over_leave_no_memory_behind(made, tmp_path_factory):
    """When a step is kept, the memory of the steps before it is gone."""
    run = started(together(tmp_path_factory.mktemp("kept")), deck(made[0], reduce={}))
    history, seen = history_of(run, "displacement", ["p"]), []
    for state in run.march():
        history.keep(run)
        assert [a() is not None for a in seen] == [False] * len(seen)
        seen.append(weakref.ref(state.internal["p"]))
        if state.step == 4:
            break


@pytest.mark.mpi
@pytest.mark.pair
def test_what_solves_can_be_let_go_and_made_anew(made):
    """A step on a new matrix and preconditioner is that on the old ones."""
    found = []
    for gone in (False, True):
        run = started(made[0], deck(made[0]))
        form, solver = run.system.forms["displacement"], run.system.solvers["displacement"]
        for state in run.march():
            if state.step == 2:
                break
            if gone:
                solver.let_go()
                form.let_go()
                assert "matrix" not in vars(form) and not solver.attempts
        found.append(state.values["displacement"].copy())
    assert np.abs(found[0] - found[1]).max(initial=0) <= 1e-9 * np.abs(found[0]).max(initial=1)
    assert COMM.allreduce(float(np.abs(found[0]).max(initial=0)), max) > 1e-6


def test_draws_in_a_batch_are_runs_one_by_one(made):
    """Threads share the draws; one that has no answer spoils no other."""
    run, other, rises = reduced(made[0]), reduced(made[0], controls=hot(26)), (30.0, 26.0, np.nan, 33.0)
    model, times = run.system.model, 0.25 * np.arange(1, 17)
    loads = run.system.loads.over(times)[None]
    known = [run.system.steps.local(times, {"hot": np.array([rise])}) for rise in rises]
    data, offset = (np.stack(rows) for rows in zip(*known, strict=True))
    batch = Batch(model.strains, model.points.weights, 1, len(rises), workers=2)
    paths = batch.march(np.full(16, 0.25), loads, data, offset)
    assert list(paths.failed) == [2] and paths.newton[[0, 1, 3]].max() <= 12
    for draw, single in ((0, run), (1, other)):
        for k, state in enumerate(single.march()):
            assert paths.coordinates[draw, k] == pytest.approx(state.values["displacement"][:, 0], rel=1e-6)
            assert paths.p[draw, k] == pytest.approx(state.internal["p"][:, 0], rel=1e-6, abs=1e-12)
    assert np.abs(paths.p[0] - paths.p[1]).max() > 1e-5


def test_what_it_cannot_take_is_refused(made):
    folder = made[0]
    file = {"type": "galerkin", "file": str(folder / "rom.h5")}

    def told(**blocks):
        with pytest.raises((InputError, ValueError)) as error:
            started(folder, deck(folder, rom=file, **blocks))
        return str(error.value)

    moved = [
        {"on": "left", "displacement": ["1e-3*t", 0]},
        {"on": "right", "traction": ["pull(t)*(1 - y)", 0]},
    ]
    assert "has not seen the shape of what is prescribed of displacement" in told(boundary=moved)
    slid = [{"on": "left", "normal": "1e-3*t"}, {"on": "right", "traction": ["pull(t)", 0]}]
    assert "takes no value along a normal but 0" in told(boundary=slid)
    springy = {"type": "elastic", "density": 1e4, "young_modulus": "200 GPa", "poisson_ratio": 0.3}
    plain = {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1, "law": springy}
    assert "needs a law with memory" in told(physics=plain, quantities={})
    softer = [{"on": "left", "displacement": [0, 0]}, {"on": "right", "spring": {"normal": "exp(-t)*1e9"}}]
    assert "changes in time" in told(boundary=softer)
    finer = {"type": "box", "cell": "quadrilateral", "cells": [8, 4], "size": [1, 0.6]}
    assert "another mesh, degree or unknown" in told(mesh=finer)


@pytest.mark.mpi
def test_a_load_that_training_has_not_seen_ends_the_run(made):
    """Its forces are out of balance at the points that the cubature does not look at."""
    folder = made[0]
    known = reduced(folder)
    for _ in known.march():
        pass
    assert known.system.counts()["reduced"]["imbalance"] <= 2e-3
    sheared = [{"on": "left", "displacement": [0, 0]}, {"on": "right", "traction": [0, "pull(t)/5"]}]
    blocks = {"boundary": sheared, "time": {"stepper": "quasistatic", "step": 0.25, "end": 3}}
    with pytest.raises(InputError, match="has not seen the shape of the traction on right"):
        reduced(folder, **blocks)
    run = reduced(folder, "respond", **blocks)
    for _ in run.march():
        pass
    with pytest.raises(GuardError, match="training has not seen such a load"):
        run.system.counts()


LINEAR = {"u": {"type": "mean", "of": "displacement_x"}}


@pytest.mark.mpi
@pytest.mark.pair
def test_a_run_without_memory_of_the_body_marches_the_same(made):
    folder = made[0]
    file = {"type": "galerkin", "file": str(folder / "rom.h5"), "duals": "none"}
    run, again, other = (
        started(folder, deck(folder, rom=rom, quantities=LINEAR))
        for rom in (file, file, file | {"duals": "replay"})
    )
    for each in (run, again, other):
        each.observers = []
    for _ in zip(range(9), run.march(), strict=False):
        pass
    meta, packed = deepcopy(run.checkpoint_state()[0]), run.checkpoint_state()[1]
    assert run.layout().keys() == packed.keys() and not any(key.group == "memory" for key in packed)
    rows = {key: a.copy() for key, (_, a) in packed.items()}
    with pytest.raises(InputError, match="no memory of the whole body"):
        other.expect(meta)
    again.restore_state(meta, rows)
    for each in (run, again, other):
        for _ in each.march():
            pass
    one, two, three = (each.values()["u"] for each in (run, again, other))
    assert two == pytest.approx(one, rel=1e-10) and three == pytest.approx(one, rel=1e-10)
    assert "imbalance" not in run.system.counts()["reduced"] and not run.system.whole.replay.steps
    with pytest.raises(InputError, match=r"rom.duals: none keeps no memory"):
        run.fields.evaluate("p")


@pytest.mark.parametrize(
    ("blocks", "where"),
    [
        ({"quantities": {"s": {"type": "mean", "of": "stress_xx"}}}, "quantities.s.of"),
        ({"quantities": {"s": {"type": "mean", "of": "2*p"}}}, "quantities.s.of"),
        ({"quantities": {"r": {"type": "reaction", "of": "displacement", "component": "x", "on": "left"}}},
         "quantities.r"),
        ({"quantities": {}, "output": [{"type": "fields", "fields": ["displacement", "p"]}]},
         "output.0.fields"),
        ({"quantities": {}, "runtime": {"guard": {"p": [0, 1]}}, "output": [{"type": "series"}]},
         "runtime.guard.p"),
    ],
)  # fmt: skip
def test_what_reads_the_memory_is_refused_by_name(made, blocks, where):
    rom = {"type": "galerkin", "file": str(made[0] / "rom.h5"), "duals": "none"}
    with pytest.raises(ValueError, match="reads the memory of the whole body") as error:
        deck(made[0], rom=rom, **blocks)
    assert where in str(error.value)


def test_a_body_loaded_by_heat_alone(tmp_path):
    """Its stresses are in balance with themselves and do no work on any mode."""
    physics = deck(tmp_path).plain()["data"]["physics"]
    del physics["body_force"]
    blocks = {
        "controls": hot(300),
        "physics": physics,
        "boundary": [{"on": "left", "displacement": [0, 0]}, {"on": "right", "displacement_x": 0}],
    }
    run, _ = reduce(deck(tmp_path, reduce={}, **blocks), context.create(COMM, tmp_path))
    full = dict(run.values())
    again = reduced(tmp_path, **blocks)
    for _ in again.march():
        pass
    assert full["p"] > 1e-3
    assert dict(again.values()) == pytest.approx(full, rel=1e-4)
