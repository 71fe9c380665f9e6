"""A preconditioner made of the tangent at rest: wherever a march begins, its solves cost the same."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI
from rom.test_refresh import deck

from plexus.compose import compose
from plexus.io.restart import resume, save
from plexus.runtime import context

COMM = MPI.COMM_SELF
KEPT = {"displacement": {"ksp": "gmres", "rtol": 1e-2, "snes_rtol": 1e-9, "preconditioner": "lu",
                         "preconditioner_from": "rest"}}  # fmt: skip


def run_in(folder, solver=KEPT, **blocks):
    """Return a run of the plate of a reduced model, by the full one."""
    folder.mkdir(exist_ok=True)
    made = compose(deck(folder, 2, solver=solver, **blocks), context.create(COMM, folder))
    made.observers = []
    return made


def totals(run):
    """Return Newton steps and iterations so far."""
    told = run.system.solvers["displacement"].tally.summary()
    return np.array([told["newton"], told["total"]])


def test_a_restart_solves_as_the_march_did(tmp_path):
    """Within a flow the factor is that of the start: the same iterations to the same state."""
    whole = run_in(tmp_path / "whole")
    for state in whole.march():
        if state.step == 12:
            save(whole, path := tmp_path / "checkpoint_00000012.h5")
            before = totals(whole)
    again = run_in(tmp_path / "again")
    resume(again, str(path), tmp_path / "again")
    first = totals(again)
    for _ in again.march():
        pass
    np.testing.assert_array_equal(totals(again) - first, totals(whole) - before)
    u = [run.state.values["displacement"] for run in (whole, again)]
    np.testing.assert_allclose(*u, rtol=0, atol=1e-12 * np.abs(u[0]).max())


def test_it_is_factorised_once(tmp_path):
    """The answer is that of a new factor for every tangent."""
    kept = run_in(tmp_path / "kept")
    new = run_in(tmp_path / "new", {"displacement": {"preconditioner": "lu", "snes_rtol": 1e-9}})
    for run in (kept, new):
        for _ in run.march():
            pass
    solver = kept.system.solvers["displacement"]
    assert totals(kept)[1] > 2 * totals(kept)[0], "a factor of another matrix needs iterations"
    mat, reference = solver.current.snes.getKSP().getOperators()
    skew = [a.duplicate(copy=True).transpose() for a in (mat, reference)]
    for part, a in zip(skew, (mat, reference), strict=True):
        part.axpy(-1.0, a)
    # that of a flow with recall is not symmetric
    assert skew[0].norm() > 1e-5 * mat.norm() and skew[1].norm() <= 1e-12 * reference.norm()
    u = [run.state.values["displacement"] for run in (kept, new)]
    np.testing.assert_allclose(*u, rtol=0, atol=1e-7 * np.abs(u[1]).max())


def test_a_rate_has_no_rest(tmp_path):
    heat = {
        "type": "heat", "material": {"density": 1.0, "specific_heat": 1.0, "conductivity": 1.0},
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"(?s)preconditioner_from.*temperature changes at a rate"):
        deck(
            tmp_path, 2, physics=heat, boundary=[], quantities={}, output=[],
            time={"stepper": "theta", "step": 0.5, "cycles": 2},
            solver={"temperature": {"preconditioner": "lu", "preconditioner_from": "rest"}},
        )  # fmt: skip
