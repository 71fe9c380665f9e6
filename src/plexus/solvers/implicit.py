"""One field's equations in the form F(t, u, u_t) = 0 that PETSc's TS integrates.

TS treats every unknown as free, so the prescribed ones get rows u_d - g(t) = 0. In all other rows u_d and
its rate are replaced by g and g', so that these rows do not depend on u_d: the matrix with cleared rows and
columns then is the exact Jacobian, and one linear solve remains exact for linear equations. g' is a
central difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.errors import SolveError
from plexus.protocols import Instant
from plexus.solvers.failures import in_words
from plexus.solvers.monitors import SolveInfo, reason_name
from plexus.solvers.nonlinear import FieldSolver

if TYPE_CHECKING:
    from collections.abc import Callable

SPAN = 1e-4
"""Half width of the central difference, relative to the time step."""


class ImplicitProblem:
    """Callbacks and settings for a TS on one field.

    Parameters
    ----------
    solver : FieldSolver
        Owner of form and settings; its records and counts are continued here.
    prescribe : callable
        ``prescribe(t, array)`` sets the prescribed values in a field array.
    """

    def __init__(self, solver: FieldSolver, prescribe: Callable[[float, np.ndarray], None]):
        self.solver, self.form, self.prescribe = solver, solver.form, prescribe
        self.space = solver.form.space
        self.fixed = solver.form.fixed
        self.values: Mapping[str, np.ndarray] = {}
        self.dt = 1.0
        self._u, self._rate = self.space.zeros(), self.space.zeros()

    def attach(self, ts: PETSc.TS) -> None:
        """Set callbacks and solver options; the caller's TS options are read as well."""
        self.attempt = self.solver.configure(ts.getSNES())
        ts.setIFunction(self._function, self.solver.rhs)
        ts.setIJacobian(self._jacobian, self.form.matrix.mat)

    def settle(self, ts: PETSc.TS, path: str) -> None:
        """Let ``ts`` read its options, which are those of the deck path ``path``.

        Raises
        ------
        InputError
            If PETSc knows no such method.
        """
        with in_words(path):
            ts.setFromOptions()

    def _load(self, t: float, x: PETSc.Vec, xdot: PETSc.Vec) -> tuple[np.ndarray, np.ndarray]:
        """Return value and rate with ghosts, the prescribed ones from their expressions."""
        for array, vec in ((self._u, x), (self._rate, xdot)):
            array[: self.space.n_owned] = vec.getArray(readonly=True).reshape(-1, self.space.components)
            self.space.halo.forward(array)
        if self.fixed is not None:
            # truncation h² g‴/6 against rounding ε g/h: both far below the error of a step
            h = SPAN * self.dt
            before, after = self._u.copy(), self._u.copy()
            self.prescribe(t - h, before)
            self.prescribe(t + h, after)
            self.prescribe(t, self._u)
            self._rate[self.fixed] = _slope(before, self._u, after, h)[self.fixed]
        return self._u, self._rate

    def _function(self, ts: PETSc.TS, t: float, x: PETSc.Vec, xdot: PETSc.Vec, f: PETSc.Vec) -> None:
        with self.solver.ctx.timers("residual"):
            u, rate = self._load(t, x, xdot)
            out = self.form.residual(t, u, rate, self.values)
            if self.fixed is not None:
                # a PETSc solution vector need not hold the prescribed values: rows u_d - g(t)
                held = self.fixed[: self.space.n_owned]
                out[held] = (x.getArray(readonly=True).reshape(out.shape) - u[: self.space.n_owned])[held]
            f.setArray(out.ravel())

    def _jacobian(
        self, ts: PETSc.TS, t: float, x: PETSc.Vec, xdot: PETSc.Vec, shift: float, a: PETSc.Mat, b: PETSc.Mat
    ) -> None:
        with self.solver.ctx.timers("jacobian"):
            u, rate = self._load(t, x, xdot)
            self.form.jacobian(t, u, rate, shift, self.values)
        at = Instant(t, shift=shift)
        self.solver.inspect_matrix(self.attempt, self.solver.bearing(u, rate, at, self.values))

    def advance(self, ts: PETSc.TS, t: float, dt: float) -> SolveInfo:
        """Take one step of ``dt`` from ``t`` in the solution vector of ``ts``; book its solves. Collective.

        Raises
        ------
        SolveError
            If a solve of the step failed.
        InputError
            If PETSc refuses a setting.
        """
        self.dt = dt
        counts = ts.getSNESIterations(), ts.getKSPIterations()
        ts.setTime(t)
        ts.setTimeStep(dt)
        # TS would not step again after it has ended or failed
        ts.setConvergedReason(PETSc.TS.ConvergedReason.ITERATING)
        with in_words(self.solver.path):
            ts.step()
        return self._record(ts, t + dt, counts)

    def _record(self, ts: PETSc.TS, t: float, counts: tuple[int, int]) -> SolveInfo:
        """Book the step's solves; ``counts`` are the TS's Newton and Krylov totals before it."""
        snes, name = ts.getSNES(), self.solver.target.name
        ok = ts.getConvergedReason() >= 0
        newton, krylov = ts.getSNESIterations() - counts[0], ts.getKSPIterations() - counts[1]
        info = SolveInfo(name, t, ok, reason_name(snes), newton, krylov)
        info.applications, info.setup_seconds = self.attempt.spent()
        if not ok:
            raise SolveError(f"solve failed: {info.sentence()}")
        self.attempt.options.check(self.attempt.path)
        self.solver.book(info)
        return info


def _slope(before: np.ndarray, now: np.ndarray, after: np.ndarray, h: float) -> np.ndarray:
    """Return the central difference; beside a jump that of the smooth side."""
    left, right = now - before, after - now
    smaller = np.where(np.abs(left) < np.abs(right), left, right)
    # across a jump one difference is some 1/SPAN times what it is on the smooth side
    jumps = np.abs(smaller) * 1e3 < np.maximum(np.abs(left), np.abs(right))
    slope: np.ndarray = np.where(jumps, smaller / h, (after - before) / (2 * h))
    return slope
