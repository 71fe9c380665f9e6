"""One way to solve a field's equations: a SNES configured by one block of the deck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers import defaults
from plexus.solvers.directions import krylov
from plexus.solvers.monitors import INSIDE, UNSOLVED, SolveInfo, reason_name
from plexus.solvers.options import Options
from plexus.solvers.shells import Shell, install

if TYPE_CHECKING:
    from plexus.deck.schema import SolverBlock
    from plexus.protocols import PcContext, Preconditioner
    from plexus.runtime.context import Context
    from plexus.solvers.target import Target

    Take = Callable[[str, Preconditioner, Target], PcContext | None]

HISTORY = 10_000
"""Residual norms kept per solve."""
EXACT = 1e-5
"""Relative residual that a factorisation leaves at most, of a body that may move far from the origin too."""


class Attempt:
    """One SNES, configured by one solver block.

    Parameters
    ----------
    target : Target
        Facts about the system that is solved.
    ctx : Context
        Timers.
    block : SolverBlock
        Settings from the deck.
    prefix, path : str
        Prefix of the PETSc options, and deck path of the block's options for messages.
    snes : PETSc.SNES
        The solver to configure.
    contexts : callable
        Field inside a block of fields (empty: all of it), preconditioner, its system -> its context.

    Attributes
    ----------
    preset : dict
        Options of PETSc that the block, its members and defaults stand for.
    reference : PETSc.Mat or None
        The matrix that the preconditioner is made of, if it is not the tangent.
    """

    def __init__(
        self,
        target: Target,
        ctx: Context,
        block: SolverBlock,
        prefix: str,
        path: str,
        snes: PETSc.SNES,
        contexts: Take,
    ):
        self.target, self.ctx, self.path, self.snes = target, ctx, path, snes
        self.block = block
        member = self._member = defaults.member(block, target)
        self.preset = defaults.preset(block, target)
        self.options = Options(prefix, self.preset, block.options)
        self._open, self._varies, self._free = block.ksp is None, member.varies, False
        snes.setOptionsPrefix(prefix)
        snes.setConvergenceHistory(HISTORY, reset=True)
        snes.getKSP().setConvergenceHistory(HISTORY, reset=False)
        self.shells: list[Shell] = []
        self.reference: PETSc.Mat | None = None
        self._contexts = contexts
        self._install(snes.getKSP().getPC(), "", member, target)
        self.directions = krylov.install(snes.getKSP(), self) if block.ksp == defaults.OURS else None
        self._told = (0, 0.0)

    def split(self, parts: Mapping[str, PETSc.IS]) -> None:
        """Name the unknowns of each field of a block, for a preconditioner of parts. Collective."""
        if self.options.value("pc_type") != "fieldsplit":
            return
        pc = self.snes.getKSP().getPC()
        pc.setType("fieldsplit")
        pc.setFieldSplitIS(*parts.items())
        members = self._member.parts(self.target)
        # the solvers of the fields are made when their unknowns are named, in the same order
        for name, ksp in zip(parts, pc.getFieldSplitSubKSP() if members else (), strict=False):
            self._install(ksp.getPC(), name, *members[name])

    def _install(self, pc: PETSc.PC, field: str, member: Preconditioner, target: Target) -> None:
        """Give ``pc`` the context of a member that has one."""
        context = self._contexts(field, member, target)
        if context is not None:
            self.shells.append(install(pc, context, self))

    def choose_method(self, symmetric: bool, singular: bool) -> None:
        """Choose what the deck leaves open, once the matrix is known: CG or GMRES, no LU if singular.

        Raises
        ------
        InputError
            If the deck names an incomplete Cholesky factorisation, and the matrix is not symmetric.
        """
        # it reads one triangle, and PETSc may shift the pivots of what that stands for without an end
        if not symmetric and "icc" in (self.options.value("pc_type"), self.options.value("sub_pc_type")):
            fields = " and ".join(self.target.parts or [self.target.name])
            raise InputError(
                f"{self.path.removesuffix('options')}preconditioner: icc needs a symmetric matrix, and "
                f"that of {fields} is none: ilu is its counterpart"
            )
        ksp = self.snes.getKSP()
        factorised = ksp.getType() == "preonly"
        default = self._open and self.block.preconditioner is None
        if singular and not self._free and (default or not factorised):
            # some motions are held, so LU may be the default, but others are free: LU divides by rounding
            self.options.add(defaults.preset(self.block, replace(self.target, singular=True)))
            self._free, factorised = True, False
        elif factorised and singular and self.options.value("pc_factor_mat_solver_type") == "mumps":
            # the deck names LU: pivots that vanish belong to the free motions
            self.options.add({"mat_mumps_icntl_24": 1})
        if self._open and not factorised:
            method = ("f" if self._varies else "") + ("cg" if symmetric else "gmres")
            exact = defaults.precise(method, self.preset)
            self.options.add({"ksp_type": method} | defaults.true_residual(method) | exact)
            ksp.setFromOptions()
        self._open = False

    def set_up(self, mat: PETSc.Mat) -> None:
        """Build the preconditioner now, so that its time is told apart; SNES then finds it ready."""
        if self.options.lags:
            return  # SNES decides after this callback whether the old preconditioner stays
        with self.ctx.timers("preconditioner"):
            self.operate(mat)
            self.snes.getKSP().setUp()

    def operate(self, mat: PETSc.Mat) -> None:
        """Let the linear solver solve with a matrix."""
        self.snes.getKSP().setOperators(mat, self.reference or mat)

    def run(self, x: PETSc.Vec, t: float) -> SolveInfo:
        """Solve from the guess ``x`` in place and return the record. Collective."""
        snes, ksp = self.snes, self.snes.getKSP()
        ksp.setConvergenceHistory(HISTORY, reset=False)  # starts an empty history
        before = self.directions.replaced if self.directions else 0
        # what the callbacks of equations, matrix and set-up leave of it is the Krylov method's
        with self.ctx.timers("krylov"):
            snes.solve(None, x)
        reason = reason_name(snes)
        # the Krylov method knows better than Newton what went wrong
        if reason == "DIVERGED_LINEAR_SOLVE":
            reason = f"{reason_name(ksp)} {INSIDE}"
        converged = snes.getConvergedReason() > 0
        if converged and snes.getType() == "ksponly" and ksp.getType() == "preonly" and not self._solves(ksp):
            converged, reason = False, f"{UNSOLVED} {INSIDE}"
        applications, seconds = self.spent()
        return SolveInfo(
            name=self.target.name,
            t=t,
            converged=converged,
            reason=reason,
            newton=snes.getIterationNumber(),
            iterations=snes.getLinearSolveIterations(),
            residuals=np.array(snes.getConvergenceHistory()[0]),
            krylov=np.array(ksp.getConvergenceHistory()),
            applications=applications,
            setup_seconds=seconds,
            replaced=self.directions.replaced - before if self.directions else None,
            detail=self._refused() if "PCSETUP_FAILED" in reason else "",
        )

    def _refused(self) -> str:
        """Return why a preconditioner could not be set up, as far as it tells."""
        told = [str(getattr(shell, "refused", "")) for shell in self.shells]
        return "; ".join(filter(None, told)) or "is the matrix singular?"

    @staticmethod
    def _solves(ksp: PETSc.KSP) -> bool:
        """Return whether a single application of the preconditioner has solved A x = b. Collective.

        |b - A x| is compared with |b| and |D x|, D the diagonal, of which a stable factorisation leaves the
        rounding; what b has along free modes no x can meet.
        """
        mat, b, x = ksp.getOperators()[0], ksp.getRhs(), ksp.getSolution()
        left, scaled = b.duplicate(), mat.getDiagonal()
        mat.mult(x, left)
        left.aypx(-1.0, b)
        free = mat.getTransposeNullSpace()
        if free.handle:
            free.remove(left)
        scaled.pointwiseMult(scaled, x)
        # what is not a number is told by its own guard
        found = not left.norm() > EXACT * (b.norm() + scaled.norm())
        left.destroy()
        scaled.destroy()
        return found

    def spent(self) -> tuple[int | None, float]:
        """Return applications and set-up seconds of a preconditioner in Python since the last call."""
        if not self.shells:
            return None, 0.0
        now = sum(shell.applications for shell in self.shells), sum(shell.seconds for shell in self.shells)
        before, self._told = self._told, now
        return self._told[0] - before[0], self._told[1] - before[1]
