"""PETSc's TAO: limited-memory variable metric with bounds (`blmvm`), on numbers divided by their scale.

Another method can be chosen through PETSc's options with the prefix ``calibrate_``. S. J. Benson, J. J. Moré,
Argonne report ANL/MCS-P909-0901 (2001); the TAO users manual, ANL/MCS-TM-322.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from petsc4py import PETSc

from plexus.calibration.methods import Tell
from plexus.calibration.objective import Array, Ends, Fitted, Objective
from plexus.errors import SolveError


def minimised(objective: Objective, start: Array, ends: Ends, tell: Tell) -> Fitted:
    """Return the minimum of Φ near to a start. Collective: every rank has the same TAO of its own."""
    work = _Work(objective, ends, tell)
    tao = PETSc.TAO().create(PETSc.COMM_SELF)
    tao.setOptionsPrefix("calibrate_")
    tao.setType("blmvm")
    x, low, high = (
        _vec(a / objective.scale) for a in (objective.clipped(start), objective.low, objective.high)
    )
    tao.setObjectiveGradient(work.evaluate, None)
    tao.setVariableBounds((low, high))
    tao.setTolerances(gatol=0.0, grtol=0.0, gttol=1e-8)
    tao.setMaximumIterations(ends.iterations)
    tao.setMonitor(work.watch)
    tao.setFromOptions()
    tao.solve(x)
    reason = tao.getConvergedReason()
    m = np.array(x.getArray()) * objective.scale
    _, r = objective.value(m)
    stuck = (
        reason == PETSc.TAO.Reason.DIVERGED_LS_FAILURE and work.history[-1][2] <= 1e-5 * work.history[0][2]
    )
    return Fitted(m, r, work.history, reason > 0 or stuck, work.settled or f"TAO ended with reason {reason}")


class _Work:
    """Φ and its gradient as TAO asks for them."""

    def __init__(self, objective: Objective, ends: Ends, tell: Tell):
        self.objective, self.ends, self.tell = objective, ends, tell
        self.history: list[tuple[float, float, float]] = []
        self.settled, self._seen = "", (np.empty(0), 0.0, 0.0)

    def evaluate(self, tao: Any, x: Any, gradient: Any) -> float:
        """Return Φ and set its gradient with respect to the divided numbers."""
        scale = self.objective.scale
        m = np.array(x.getArray()) * scale
        try:
            phi, r = self.objective.value(m)
        except SolveError:
            # no run there: far up, so that the line search comes back
            gradient.set(0.0)
            return 1e30
        g = self.objective.gradient(m, r)
        gradient.setArray(g * scale)
        self._seen = g, phi, float(r @ r)
        return phi

    def watch(self, tao: Any) -> None:
        """Note an iteration; end where Φ hardly falls."""
        g, _, rr = self._seen
        phi = float(tao.getSolutionStatus()[1])
        m = np.array(tao.getSolution().getArray()) * self.objective.scale
        before = self.history[-1][0] if self.history else np.inf
        self.history.append((phi, rr, self.objective.steepness(m, g)))
        self.tell(len(self.history) - 1, *self.history[-1])
        if before > phi and self.ends.settled(before, phi):
            self.settled = f"it fell by less than {self.ends.tolerance:g} of itself"
            tao.setConvergedReason(PETSc.TAO.Reason.CONVERGED_USER)


def _vec(values: Array) -> Any:
    return PETSc.Vec().createWithArray(values.copy(), comm=PETSc.COMM_SELF)
