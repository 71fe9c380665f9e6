"""The linear solves of derivatives, A du = b and Aᵀ λ = v, by what has solved F = 0 with A.

A symmetric matrix takes the same Krylov method for both. Others take its transposed application, which not
every preconditioner has, and which some have wrongly: BoomerAMG of PETSc 3.18 applied transposed is zero, so
that methods report convergence with λ = 0, and SOR refuses. So only the true residual is believed,

    ‖Aᵀ λ - v‖ <= LIMIT ‖v‖,

and where it is too large a solver of the explicit transpose is made, by the same settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.errors import SolveError

if TYPE_CHECKING:
    from plexus.solvers.attempt import Attempt
    from plexus.solvers.nonlinear import FieldSolver

Solve = Callable[[PETSc.Mat, PETSc.Vec, PETSc.Vec], float]
Product = Callable[[PETSc.Vec, PETSc.Vec], None]
AIM, LIMIT = 1e-12, 1e-8
"""Relative residual that Krylov methods go for, and the largest one that is taken."""


class Linearised:
    """Solves with the matrix of a field's solver and with its transpose.

    Attributes
    ----------
    solves, explicit : int
        Transposed solves so far, and those that needed the explicit transpose.
    """

    def __init__(self, solver: FieldSolver):
        self.solver = solver
        self.solves = self.explicit = 0
        self._refused: set[int] = set()
        self._twins: dict[int, Attempt] = {}

    def solved(self, b: np.ndarray) -> np.ndarray:
        """Return A⁻¹ b, both (unknowns of this rank,), with the matrix that is assembled now. Collective.

        A part of b along motions that nothing holds is left out, as they keep the values of the guess.

        Raises
        ------
        SolveError
            If the residual is not small.
        """
        return self._checked(b, "linear", self._straight)

    def transposed(self, v: np.ndarray) -> np.ndarray:
        """Return λ for v, as `solved` does. Collective."""
        return self._checked(v, "transposed", self._turned)

    def _checked(self, right: np.ndarray, what: str, solve: Solve) -> np.ndarray:
        solver = self.solver
        mat, b, x = solver.form.matrix.mat, solver.form.space.vector(), solver.form.space.vector()
        b.setArray(self._held(right))
        if b.norm() == 0.0:
            return np.zeros_like(right)
        off = solve(mat, b, x)
        if not off <= LIMIT:
            raise SolveError(
                f"gradient failed: {solver.target.name}: the {what} system is solved to {off:.1g} of "
                f"its right-hand side only (at most {LIMIT:g}); `solver: {{{solver.target.name}: "
                "{preconditioner: lu}}` factorises, mumps does so on several ranks"
            )
        return self._held(x.getArray(readonly=True).copy())

    def _straight(self, mat: PETSc.Mat, b: PETSc.Vec, x: PETSc.Vec) -> float:
        """Solve A x = b; return the relative residual, infinite if PETSc refuses."""
        current = self.solver.current
        current.set_up(mat)
        # where preconditioners lag, SNES gives the matrix, which may not have begun
        current.operate(mat)
        ksp = current.snes.getKSP()
        # a factor of the matrix itself needs no Krylov method, which would apply it twice
        off = _tried(ksp, ksp.getPC().apply, mat.mult, b, x)
        return off if off <= LIMIT else _tried(ksp, ksp.solve, mat.mult, b, x)

    def _turned(self, mat: PETSc.Mat, b: PETSc.Vec, x: PETSc.Vec) -> float:
        """Solve Aᵀ x = b, by the explicit transpose where there is no other way."""
        solver, off = self.solver, np.inf
        self.solves += 1
        number = solver.attempts.index(solver.current)
        if number not in self._refused:
            off = self._implicitly(mat, b, x)
        if not off <= LIMIT and not solver.symmetric:
            # what fails once fails again: the next solve begins here
            self._refused.add(number)
            self.explicit += 1
            off = self._explicitly(number, mat, b, x)
        return off

    def _held(self, v: np.ndarray) -> np.ndarray:
        """Return v without its part along free motions. Collective."""
        free = self.solver.free
        if free is None:
            return v
        rest: np.ndarray = v - free @ self.solver.form.space.comm.allreduce(free.T @ v)
        return rest

    def _implicitly(self, mat: PETSc.Mat, b: PETSc.Vec, x: PETSc.Vec) -> float:
        """Solve by the solver of the matrix itself; return the relative residual, infinite if it refuses."""
        solver = self.solver
        solver.current.set_up(mat)
        ksp = solver.current.snes.getKSP()
        solve = ksp.solve if solver.symmetric else ksp.solveTranspose
        return _tried(ksp, solve, mat.multTranspose, b, x)

    def _explicitly(self, number: int, mat: PETSc.Mat, b: PETSc.Vec, x: PETSc.Vec) -> float:
        """Solve with a solver of the explicit transpose; return the relative residual."""
        transpose = PETSc.Mat()
        mat.transpose(transpose)
        transpose.setBlockSizes(*mat.getBlockSizes())
        near = self.solver.form.near_nullspace()
        transpose.setNearNullSpace(near)
        near.destroy()
        twin = self._twin(number, transpose)
        twin.set_up(transpose)
        ksp = twin.snes.getKSP()
        off = _tried(ksp, ksp.solve, mat.multTranspose, b, x)
        transpose.destroy()
        return off

    def _twin(self, number: int, transpose: PETSc.Mat) -> Attempt:
        """Return a solver of the same settings for the explicit transpose."""
        if number not in self._twins:
            snes = PETSc.SNES().create(self.solver.form.space.comm)
            twin = self._twins[number] = self.solver.configure(snes, number)
            twin.snes.getKSP().setOperators(transpose, transpose)
            twin.snes.getKSP().setFromOptions()
            twin.choose_method(False, self.solver.free is not None)
        return self._twins[number]


def _tried(ksp: PETSc.KSP, solve: Product, times: Product, b: PETSc.Vec, x: PETSc.Vec) -> float:
    """Solve to the tolerance of derivatives; return ‖A x - b‖/‖b‖, infinite where PETSc refuses."""
    before = ksp.getTolerances()
    ksp.setTolerances(rtol=AIM, atol=0.0)
    x.set(0.0)
    try:
        solve(b, x)
    except PETSc.Error:
        return np.inf
    finally:
        ksp.setTolerances(rtol=before[0], atol=before[1])
    r = b.duplicate()
    times(x, r)
    r.axpy(-1.0, b)
    off = float(r.norm() / b.norm())
    r.destroy()
    return off
