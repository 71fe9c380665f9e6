"""Solution of one field's discrete equations F(t, u, u_t) = 0 with PETSc's SNES.

The rate is u_t = shift·u + offset, as the time stepper asks for it, so that one solver serves all
steppers. The guess satisfies the prescribed values; they stay untouched because residual rows of
constrained unknowns are zero. Linear equations take one step of a Krylov method (``ksponly``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from plexus.errors import GuardError, SolveError
from plexus.fields.lost import Place, first_lost, sentence
from plexus.protocols import Instant
from plexus.solvers import defaults
from plexus.solvers.attempt import Attempt
from plexus.solvers.contexts import Contexts
from plexus.solvers.failures import in_words
from plexus.solvers.holding import OF_BODIES, Holding
from plexus.solvers.monitors import SolveInfo, Tally
from plexus.solvers.target import Target

if TYPE_CHECKING:
    from plexus.deck.schema import SolverBlock
    from plexus.runtime.context import Context
    from plexus.solvers.equations import Equations

AGAIN, BALANCED = 5, 1e-6
"""How often a settled solution is solved for anew, and the residual relative to the load that ends it."""
NOT_FINITE = ("DIVERGED_NANORINF", "DIVERGED_FNORM_NAN", "DIVERGED_FUNCTION_NANORINF")


class FieldSolver:
    """Solves one field; falls back to further blocks when a block does not converge.

    Parameters
    ----------
    form : Equations
        The discrete equations.
    block, path : SolverBlock, str
        Settings, and where they stand in the deck.
    target : Target
        Facts that defaults depend on.
    ctx : Context
        Log and timers.

    Attributes
    ----------
    records : list of SolveInfo
        Solves since the last `drain`.
    tally : Tally
        Sums over the whole run.
    contexts : Contexts
        Preconditioners in Python.
    rest : callable or None
        Return unknown, instant and fields at the start of the run, with a step of no length. Collective.
    """

    words = OF_BODIES

    def __init__(self, form: Equations, block: SolverBlock, target: Target, ctx: Context, path: str):
        self.form, self.ctx, self.path = form, ctx, path
        self.target = target = replace(target, device=ctx.device)
        self.x, self.rhs = form.space.vector(), form.space.vector()
        self.blocks = [*_chain(block), *defaults.further(block, target)]
        self.contexts = Contexts(self.blocks, target)
        self.attempts: list[Attempt] = []
        self.records: list[SolveInfo] = []
        self.tally = Tally()
        self._work = form.space.zeros()
        self.rest: Callable[[], tuple[np.ndarray, Instant, Mapping[str, Any]]] | None = None
        self._begin, self._last = 0, len(_chain(block)) - 1
        self._holding: Holding | None = None
        self._now = Instant(0.0)
        self._fields: Mapping[str, Any] = {}
        self._lost: Place | None = None
        self._failed: tuple[int, str] | None = None
        self.symmetric = False
        self._first: np.ndarray | None = None
        self._rested: PETSc.Mat | None = None

    def solve(self, u: np.ndarray, at: Instant, fields: Mapping[str, Any]) -> SolveInfo:
        """Solve F(t, u, u_t) = 0 in place. Collective.

        Parameters
        ----------
        u : (n_local, m)
            Guess that satisfies the prescribed values; afterwards the solution, ghosts included.
        at : Instant
            Time and the rate as shift·u + offset.
        fields : mapping
            Name -> array (n_local, m) of all fields of the run, internal variables included.

        Raises
        ------
        SolveError
            If neither the block nor one of its fallbacks converges, or a material has no answer.
        GuardError
            If a residual is not finite.
        InputError
            If PETSc did not use an option of the deck.
        """
        self._now, self._fields, self._lost, self._first = at, fields, None, None
        self._failed = None
        owned = u[: self.form.space.n_owned]
        for number in range(self._begin, len(self.blocks)):
            # every attempt starts from the caller's guess, which a failed one has not touched
            with in_words(self.path):
                attempt = self._attempt(number)
                self.x.setArray(owned.ravel())
                info = self.verified(attempt, attempt.run(self.x, at.t))
            attempt.options.check(attempt.path)
            if info.converged:
                break
            self._complain(info, number)
        info.fallback = number
        # what the deck leaves open and failed once is not tried again
        self._begin = number if number > self._last else 0
        self._accept(owned)
        # ghosts follow by one exchange; PETSc knows the owned part only
        owned[:] = self.x.getArray(readonly=True).reshape(owned.shape)
        self.form.space.halo.forward(u)
        # the memory of the step before would outlive it
        self._now, self._fields = Instant(at.t), {}
        self.book(info)
        # the matrix of a linear equation often stays the same from step to step
        self.form.matrix.watch = self.target.linear
        return info

    def assemble(self, u: np.ndarray, at: Instant, fields: Mapping[str, Any]) -> None:
        """Assemble the tangent at a state and choose the method for it, as `solve` does. Collective."""
        self._now, self._fields = at, fields
        with in_words(self.path):
            self._attempt(self._begin)
        rate = at.rate(u)
        self.form.jacobian(at.t, u, rate, at.shift, fields, at.since)
        self.inspect_matrix(self.current, self.bearing(u, rate, at))

    def let_go(self) -> None:
        """Free what was made to solve, but the matrix; the next solve makes it anew. Collective."""
        for attempt in self.attempts:
            attempt.snes.destroy()
        if self._rested is not None:
            self._rested.destroy()
        self.attempts, self.contexts, self._rested = [], Contexts(self.blocks, self.target), None
        self._begin, self._holding, self._first = 0, None, None
        self._now, self._fields = Instant(self._now.t), {}
        vars(self).pop("current", None)

    def _accept(self, before: np.ndarray) -> None:
        """Look at the solution, whose guess was ``before`` (n_owned, m), and settle it. Collective."""
        if self._holding is None or self._first is None:
            return
        x = self._holding.kept(self.x.getArray(readonly=True), before.ravel())
        self.x.setArray(x)
        self._holding.check_size(x - before.ravel(), self._first)
        if self._holding.weak is not None:
            self._settle(x, self._first)

    def _settle(self, x: np.ndarray, first: np.ndarray) -> None:
        """Balance the loads on what is weakly held; x is the solution, ``first`` the load. Collective."""
        assert self._holding is not None
        for number in range(AGAIN + 1):
            self._holding.settle(x, self._residual, first)
            self.x.setArray(x)
            # what a level feeds into the rest, through a contact or unlike its loads, is solved for anew
            sizes = [np.abs(a).max(initial=0.0) for a in (self._residual(x), first)]
            left, load = np.max(self.form.space.comm.allgather(sizes), axis=0)
            if number == AGAIN or left <= BALANCED * load:
                return
            if not self.current.run(self.x, self._now.t).converged:
                self.x.setArray(x)
                return
            x = self.x.getArray(readonly=True).copy()

    def _residual(self, x: np.ndarray) -> np.ndarray:
        """Return F of the own unknowns, (unknowns of this rank,). Collective."""
        now, u = self._now, self._spread(x)
        return self.form.residual(now.t, u, now.rate(u), self._fields, now.since).ravel()

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """Return a field array of its own for values (unknowns of this rank,), ghosts filled. Collective."""
        space, u = self.form.space, self.form.space.zeros()
        u[: space.n_owned] = values.reshape(-1, space.components)
        space.halo.forward(u)
        return u

    def drain(self) -> list[SolveInfo]:
        """Return the records since the last call and forget them."""
        records, self.records = self.records, []
        return records

    def _attempt(self, number: int) -> Attempt:
        """Return the attempt with block ``number``; made when it is first needed."""
        if number == len(self.attempts):
            snes = PETSc.SNES().create(self.form.space.comm)
            attempt = self.configure(snes, number)
            snes.setFunction(self.residual, self.rhs)
            if self.blocks[number].preconditioner_from == "rest":
                attempt.reference = self._reference()
            with self.ctx.timers("matrix"):
                mat = self.form.matrix.mat  # made at first access: pattern and memory
            snes.setJacobian(self.jacobian, mat, attempt.reference or mat)
            snes.setFromOptions()
            self.attempts.append(attempt)
        self.current = self.attempts[number]
        return self.current

    def _reference(self) -> PETSc.Mat:
        """Return the tangent at rest, a matrix of its own. Collective."""
        if self._rested is None:
            assert self.rest is not None, "the system of a deck knows its start"
            form, (u, at, fields) = self.form, self.rest()
            with self.ctx.timers("jacobian"):
                form.jacobian(at.t, u, None, 0.0, fields, at.since)
            self._rested = form.matrix.mat.duplicate(copy=True)
            self._describe(self._rested)
        return self._rested

    def _describe(self, mat: PETSc.Mat) -> bool:
        """Tell PETSc symmetry and near null space of a tangent; return the symmetry. Collective."""
        symmetric = bool(self.form.space.comm.allreduce(self.form.symmetric, MPI.LAND))
        mat.setOption(PETSc.Mat.Option.SYMMETRIC, symmetric)
        near = self.form.near_nullspace()
        mat.setNearNullSpace(near)
        near.destroy()
        return symmetric

    def verified(self, attempt: Attempt, info: SolveInfo) -> SolveInfo:
        """Return the record of an attempt after a look at its solution; here as it is. Collective."""
        return info

    def configure(self, snes: PETSc.SNES, number: int = 0) -> Attempt:
        """Give a SNES the prefix and options of block ``number``."""
        prefix = f"{self.target.name}_" + (f"fallback{number}_" if number else "")
        path = f"{self.path}.{'on_failure.' * number}options"
        if self.blocks[number].snes == "ksponly" and not self.target.linear and self.ctx.root:
            self.ctx.log.warn(f"{self.target.name}: ksponly takes one linear step of a nonlinear equation")
        contexts = partial(self.contexts.take, number)
        attempt = Attempt(self.target, self.ctx, self.blocks[number], prefix, path, snes, contexts)
        if self.target.parts:
            attempt.split(self.form.parts())
        return attempt

    def book(self, info: SolveInfo) -> None:
        """Keep the record of a successful solve."""
        self.records.append(info)
        self.tally.add(info)

    def _complain(self, info: SolveInfo, number: int) -> None:
        """Log a failed attempt that has a fallback; raise for the last one."""
        # a fallback would start from the same guess and meet the same value, unless a Krylov method made it
        if any(name in info.reason for name in NOT_FINITE):
            failed = [f for f in self.form.space.comm.allgather(self._failed) if f is not None]
            if failed:
                raise SolveError(f"{self.target.name} at t = {self._now.t:.6g} s: {min(failed)[1]}")
            lost = self.lost()
            if lost is not None or number + 1 == len(self.blocks) or not info.linear_failure:
                raise GuardError(lost or info.sentence())
        # and another linear solver does not help where Newton's method stands still
        end = number >= self._last and not info.linear_failure
        if number + 1 == len(self.blocks) or end:
            raise SolveError(f"solve failed: {info.sentence()}")
        solver = ""
        if number >= self._last:
            block = self.blocks[number + 1]
            solver = f" ({defaults.words(block)}; `solver: {{{self.target.name}: ...}}` chooses another)"
        self.ctx.log.info(f"solve failed, taking fallback {number + 1}{solver}: {info.sentence()}")

    def lost(self) -> str | None:
        """Return where a residual of the last solve was not finite, or None, in words. Collective."""
        return sentence(self.form.space.comm, self.target.name, self._now.t, self._lost)

    def _expand(self, x: PETSc.Vec) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the field array of ``x`` with ghosts, and its rate."""
        space, u = self.form.space, self._work
        u[: space.n_owned] = x.getArray(readonly=True).reshape(-1, space.components)
        space.halo.forward(u)
        return u, self._now.rate(u)

    def residual(self, snes: PETSc.SNES, x: PETSc.Vec, f: PETSc.Vec) -> None:
        """Evaluate F for SNES."""
        with self.ctx.timers("residual"):
            u, rate = self._expand(x)
            now = self._now
            values = self.form.residual(now.t, u, rate, self._fields, now.since)
            if self._lost is None:
                self._lost = first_lost(self.form.space.points, values)
                if self._lost is not None:
                    self._failed = self.form.unanswered(now.t, u, rate, self._fields, now.since)
            f.setArray(values.ravel())

    def jacobian(self, snes: PETSc.SNES, x: PETSc.Vec, mat: PETSc.Mat, pmat: PETSc.Mat) -> None:
        """Evaluate the tangent for SNES."""
        with self.ctx.timers("jacobian"):
            u, rate = self._expand(x)
            now = self._now
            self.form.jacobian(now.t, u, rate, now.shift, self._fields, now.since)
        with self.ctx.timers("matrix"):
            self.inspect_matrix(self.current, self.bearing(u, rate, now))
        self.current.set_up(mat)
        # later Newton residuals are small differences, whose balance says nothing about the loads
        if snes.getIterationNumber() == 0 and self._holding is not None:
            self._first = snes.getFunction()[0].getArray(readonly=True).copy()
            self._holding.check_loads(self._first)

    def bearing(
        self, u: np.ndarray, rate: np.ndarray | None, at: Instant, fields: Mapping[str, Any] | None = None
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Return what applies the terms of the value of u itself to modes (unknowns of this rank, K)."""
        known = self._fields if fields is None else fields

        def apply(columns: np.ndarray) -> np.ndarray:
            v = np.stack([self._spread(column) for column in columns.T])
            image = self.form.bearing(at.t, u, rate, at.shift, known, at.since, v)
            return np.ascontiguousarray(image.reshape(columns.shape[::-1]).T)

        return apply

    def inspect_matrix(self, attempt: Attempt, bearing: Callable[[np.ndarray], np.ndarray]) -> None:
        """After an assembly: near null space and symmetry (the first time), kernel, Krylov method.

        ``bearing`` is what `plexus.solvers.equations.Equations.bearing` makes of modes.
        """
        if self._holding is None:
            self._holding = self._examine()
        self._holding.look(self.symmetric, bearing)
        attempt.choose_method(self.symmetric, self.free is not None)

    @property
    def free(self) -> np.ndarray | None:
        """The modes that nothing holds, (unknowns of this rank, K), or None."""
        return None if self._holding is None else self._holding.free

    def _examine(self) -> Holding:
        """Look at the first matrix: tell PETSc about symmetry and near null space, find the bodies."""
        form = self.form
        mat = form.matrix.mat
        self.symmetric = self._describe(mat)
        diagonal = mat.getDiagonal()
        low = diagonal.min()[1]
        diagonal.destroy()
        if low < 0:
            self.ctx.log.info(
                f"warning: {self.target.name}: the matrix has negative diagonal entries; "
                "is a coefficient negative somewhere?"
            )
        return Holding(form, self.target, self.ctx.log, self.words)


def _chain(block: SolverBlock) -> Sequence[SolverBlock]:
    """Return a block and its fallbacks in order."""
    chain = [block]
    while chain[-1].on_failure is not None and chain[-1].on_failure != "error":
        chain.append(chain[-1].on_failure)
    return chain
