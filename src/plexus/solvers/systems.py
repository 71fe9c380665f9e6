"""Solution of A u = b as it stands: ‖b - A u‖ ≤ max(rtol ‖b‖, atol), whatever the guess.

The guess shortens the way, not the goal. At the end the residual is computed anew, as recurrences of Krylov
methods drift from it, those of methods that do not know of rounding inside of a preconditioner most: above
`SLACK` times the goal what is left is solved for again, and where that does not help the solve has failed.
Where CG meets a direction p of pᵀA p ≤ 0, its steps are repeated to tell that number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.fields.norms import norm
from plexus.solvers import defaults
from plexus.solvers.curvature import first_negative
from plexus.solvers.holding import OF_MATRIX
from plexus.solvers.monitors import INSIDE
from plexus.solvers.multigrid import POSITIONS
from plexus.solvers.nonlinear import FieldSolver

if TYPE_CHECKING:
    from plexus.models.algebraic.form import AlgebraicForm
    from plexus.solvers.attempt import Attempt
    from plexus.solvers.monitors import SolveInfo

SLACK, HELPS = 2.0, 0.1
"""Residual that is taken at the end, relative to the goal; what another solve may leave of one."""
SYMMETRIC = ("cg", "fcg", "pipecg", "groppcg", "minres", "symmlq", "cr", "qcg", "nash")
"""Krylov methods for symmetric matrices."""


class SystemSolver(FieldSolver):
    """Solves a linear system, another one at every time where the problem is a sequence."""

    form: AlgebraicForm
    words = OF_MATRIX

    def turn(self, t: float) -> None:
        """Turn to the system of time ``t`` [s]. Collective."""
        with self.ctx.timers("matrix"):
            if self.form.turn(t):
                # what is known of the matrix was that of another one
                self._holding = None

    def _attempt(self, number: int) -> Attempt:
        """Return the attempt with block ``number``, on the matrix of now."""
        attempt, mat = super()._attempt(number), self.form.matrix.mat
        if attempt.snes.getJacobian()[0] != mat:
            attempt.snes.setJacobian(self.jacobian, mat, attempt.reference or mat)
        return attempt

    def _reference(self) -> PETSc.Mat:
        """Return the matrix of the start, with the places of its rows. Collective."""
        assert self.rest is not None, "the system of a deck knows its start"
        now, start = self.form.t, self.rest()[1].t
        self.form.turn(start)
        found = super()._reference()
        places = self.form.matrix.mat.query(POSITIONS)
        if places:
            found.compose(POSITIONS, places)
        self.form.turn(now)
        return found

    def inspect_matrix(self, attempt: Attempt, bearing: Callable[[np.ndarray], np.ndarray]) -> None:
        """After an assembly: as `FieldSolver.inspect_matrix`, then symmetry and goal.

        Raises
        ------
        InputError
            If the Krylov method needs a symmetric matrix, and this is none.
        """
        super().inspect_matrix(attempt, bearing)
        ksp = attempt.snes.getKSP()
        if not self.form.symmetric and (attempt.directions is not None or ksp.getType() in SYMMETRIC):
            size, i, j = self.form.worst
            method = attempt.block.ksp or ksp.getType()
            raise InputError(
                f"{attempt.path.removesuffix('options')}ksp: {method} needs a symmetric matrix: "
                f"entries ({i + 1}, {j + 1}) and ({j + 1}, {i + 1}) differ by {size:.3g} of the largest ones "
                "of these rows; use gmres, or, where the file has one half of the entries only, write "
                "`symmetric` in its first line"
            )
        if self._tests_residual(ksp):
            ksp.setTolerances(rtol=np.finfo(float).tiny, atol=self._goal(attempt))

    @staticmethod
    def _tests_residual(ksp: PETSc.KSP) -> bool:
        """Return whether a Krylov method looks at b - A u itself."""
        norm = PETSc.KSP.NormType.UNPRECONDITIONED
        return ksp.getType() != "preonly" and ksp.getNormType() == norm

    def _goal(self, attempt: Attempt) -> float:
        """Return the residual norm that ends a solve; what no deck says counts for b = 0 only. Collective."""
        block, load = attempt.block, self.form.load()
        least = block.atol if "atol" in block.model_fields_set or load == 0 else 0.0
        return max((block.rtol or defaults.LINEAR_RTOL) * load, least)

    def verified(self, attempt: Attempt, info: SolveInfo) -> SolveInfo:
        """Return the record after a look at the residual, or at why CG gave up. Collective."""
        ksp = attempt.snes.getKSP()
        if info.converged and (ksp.getType() != "preonly" or attempt.block.rtol is not None):
            info, left, goal = self._anew(attempt, info)
            if info.converged and not left <= SLACK * goal:
                info.converged, info.reason = False, f"DIVERGED_TRUE_RESIDUAL {INSIDE}"
                info.detail = f"‖b - A u‖ = {left:.3g} where {goal:.3g} was asked for"
        if "INDEFINITE" in info.reason:
            directions = attempt.directions
            info.detail = first_negative(ksp, info.iterations) if directions is None else directions.detail
        return info

    def _anew(self, attempt: Attempt, info: SolveInfo) -> tuple[SolveInfo, float, float]:
        """Solve for what recurrences have left, as long as that helps; record, residual, goal. Collective."""
        left, goal, first = self._left(), self._goal(attempt), self._first
        before = np.inf
        # free modes keep the value of the guess, and their loads are balanced once
        while info.converged and self.free is None and SLACK * goal < left <= HELPS * before:
            before, info = left, info.then(attempt.run(self.x, info.t))
            left = self._left()
        self._first = first
        return info, left, goal

    def _left(self) -> float:
        """Return ‖b - A u‖ of the solution. Collective."""
        return norm(self.form.comm, self._residual(self.x.getArray(readonly=True)))
