"""A reduced run that is brought into balance on the way, by a displacement outside of its basis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from rom.test_refresh import CYCLES, deck, executed, sizes, started

from plexus.compose import compose
from plexus.io.restart import resume, save
from plexus.offline.main import reduce
from plexus.runtime import context

COMM = MPI.COMM_WORLD
BEDDED = [{"on": "left", "displacement_x": 0}, {"on": "bottom", "spring": {"normal": "1e12 N/m^3"}},
          {"on": "right", "traction": ["1.6e8*pull(t)*(1.2 - y)", 0]}]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the reduced model of two cycles; return its folder."""
    folder = Path(COMM.bcast(str(tmp_path_factory.mktemp("balance")) if COMM.rank == 0 else None))
    reduce(deck(folder, 2, reduce={}, boundary=BEDDED), context.create(COMM, folder))
    return folder


@pytest.fixture(scope="module")
def full(made):
    """Return life and p of the full model after all cycles."""
    return executed(compose(deck(made / "full", CYCLES, boundary=BEDDED), started(made, "full")))


def corrected(folder, name, cycles=CYCLES, **rom):
    """Return a run by the reduced model."""
    block = {"type": "galerkin", "file": str(folder / "rom.h5"), **rom}
    return compose(deck(folder / name, cycles, rom=block, boundary=BEDDED), started(folder, name))


@pytest.mark.mpi
@pytest.mark.pair
def test_the_body_stays_in_balance(made, full):
    """Without a step of the full model life stays right, which it does not otherwise."""
    plain = corrected(made, "plain", imbalance=9)
    found = executed(plain)
    off, left = abs(found["life"] / full["life"] - 1), plain.system.counts()["reduced"]["imbalance"]
    run = corrected(made, "corrected", correct=1)
    found = executed(run)
    told = run.system.counts()["reduced"]
    assert told["corrections"] == CYCLES * 8 and told["modes"] == plain.system.model.basis.shape[2]
    assert told["imbalance"] <= 0.25 * left
    assert abs(found["life"] / full["life"] - 1) <= 0.3 * off
    assert abs(found["p"] / full["p"] - 1) <= 2e-3


@pytest.mark.mpi
def test_a_correction_leaves_what_the_change_of_moduli_leaves(made):
    """In a body whose moduli are those of rest the forces of the corrected state balance to rounding."""
    run = corrected(made, "once", 4, correct=32, imbalance=9)
    before = None
    for state in run.march():
        if state.step == 31:
            before = share(run, state)
    assert before > 1e-3 and share(run, run.state) <= 1e-9


def share(run, state):
    """Return which share of the forces is out of balance in a state."""
    whole = run.system.whole
    memory = whole.replay.at(state.t)
    return whole.balance.look(state.t, whole.displacement(state), memory)


@pytest.mark.mpi
@pytest.mark.pair
def test_what_modes_can_say_changes_nothing(made):
    """A correction in the span of the basis moves coordinates and not the body; springs follow."""
    one, two = corrected(made, "one", 2, imbalance=9), corrected(made, "two", 2, imbalance=9)
    for _ in one.march():
        pass
    for state in two.march():
        if state.step == 5:
            system = two.system
            field = system.model.basis @ np.linspace(1e-4, -2e-4, system.model.basis.shape[2])
            system.whole.replay.catch_up()
            system.whole.correct(field)
            system.steps.shift(field)
    assert np.abs(sizes(two) / sizes(one) - 1).max() <= 1e-6


@pytest.mark.mpi
@pytest.mark.pair
def test_numbers_known_for_modes_follow_the_correction(made, monkeypatch):
    """A mean of the displacement, of which each mode's part is known, is that of the corrected field."""
    block = {"type": "galerkin", "file": str(made / "rom.h5"), "correct": 3, "imbalance": 9}
    quantities = {"u": {"type": "mean", "of": "displacement_x"}, "life": {"type": "shortest_life"}}
    run = compose(
        deck(made / "mean", 4, rom=block, boundary=BEDDED, quantities=quantities), started(made, "mean")
    )
    for state in run.march():
        if state.step in (2, 3, 7, 30):
            known = run.values()["u"]
            with monkeypatch.context() as patch:
                patch.setattr(type(run.fields), "_is_linear", lambda *_: False)
                run._values = None
                assert known == pytest.approx(run.values()["u"], rel=1e-10)


@pytest.mark.mpi
def test_a_restart_has_the_correction(made):
    whole = corrected(made, "whole", 5, correct=3, imbalance=9)
    for state in whole.march():
        if state.step == 20:
            save(whole, path := made / "whole" / "checkpoint_00000020.h5")
    again = corrected(made, "again", 5, correct=3, imbalance=9)
    resume(again, str(path), made / "again")
    assert again.system.whole.corrected
    for _ in again.march():
        pass
    assert np.abs(sizes(again) / sizes(whole) - 1).max() <= 1e-10
    counts = [run.system.counts()["reduced"]["corrections"] for run in (again, whole)]
    assert counts == [13, 13]


@pytest.mark.mpi
@pytest.mark.pair
def test_refreshed_cycles_keep_it(made, full):
    """What full steps find beside the correction joins the basis."""
    run = corrected(made, "both", correct=2, refresh=[4])
    found = executed(run)
    assert run.system.counts()["reduced"]["imbalance"] <= 0.05
    assert abs(found["life"] / full["life"] - 1) <= 0.02


def test_what_has_no_memory_of_the_body_is_refused(tmp_path):
    (tmp_path / "rom.h5").touch()
    rom = {"type": "galerkin", "file": "rom.h5", "correct": 4, "duals": "gappy"}
    with pytest.raises(ValueError, match=r"(?s)correct.*duals: replay"):
        deck(tmp_path, 2, rom=rom)
