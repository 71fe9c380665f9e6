"""What holds the bodies of an unknown: modes that no condition stops, and loads that these cannot bear.

A body that nothing holds keeps the level of the initial guess if its loads balance; if they do not, there is
no solution. Terms that depend on time or on the unknown may come to hold a body, or cease to, so that bodies
with modes that no prescribed value stops are looked at after every assembly.

Some terms hold a mode so weakly that solvers, or even the entries of the matrix, lose it beside the others.
The loads that these terms bear are known all the same: the residual, summed along the mode, has no part of
the stiffness. With v such a mode and G = vᵀHv of the terms H that hold it, x - v G⁻¹ vᵀF(x) balances them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from plexus.errors import InputError, SolveError
from plexus.solvers import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexus.runtime.log import Log
    from plexus.solvers.equations import Bodies, Equations
    from plexus.solvers.target import Target

UNBALANCED, ROUNDING = 1e-2, 1e-8
"""Relative imbalance of the loads on a free body that is refused, and that the log mentions."""
SMALLEST, DOUBTFUL = 1e-14, 1e-13
"""Least energy of a solution relative to the entries of the matrix: two or three digits are right at most."""
FAINT = 1e-24
"""Energy of terms that hold a mode, relative to that of the entries; less is rounding, squared."""
SHARE = 1e-3
"""Largest error of a level by rounding, relative to the solution, that is taken."""
SHIFTS, SETTLED = 50, 1e-12
"""Shifts along weak modes at most, and the relative size of one that ends them."""
SINGULAR = 1e14
"""Condition of what holds weak modes, above which it holds some combination not at all."""
LITTLE = 1e-10
"""Share of all loads on a body that is rounding along a single motion."""
MOST = 60
"""Modes without hold that are carried; more of them are refused."""


class Words(NamedTuple):
    """How a person calls what holds a body, and what is wrong where loads do not balance."""

    home: str
    holder: str
    unbalanced: str
    remedy: str


OF_BODIES = Words(
    "mesh: ", "no condition",
    "sources and boundary loads do not balance (by {off:.2g} of their sum), "
    "and no condition holds the body{where}",
    "join the parts in the mesh, or hold each of them",
)  # fmt: skip
OF_MATRIX = Words(
    "", "nothing in the matrix",
    "the matrix is singular: its rows{where} add up to zero, and b does not (by {off:.2g} of its sizes)",
    "b must add up to zero on each of them",
)  # fmt: skip


class Holding:
    """The modes of one unknown that nothing holds. Construction, at the first matrix, is collective.

    Attributes
    ----------
    free : (unknowns of this rank, K), optional
        Orthonormal modes that the last matrix leaves free; None where there are none.
    weak : (unknowns of this rank, W), optional
        Orthonormal modes that the last matrix hardly holds; None where there are none.

    Raises
    ------
    InputError
        If an unknown that is not prescribed has no equation.
    """

    def __init__(self, form: Equations, target: Target, log: Log, words: Words = OF_BODIES):
        self.form, self.target, self.log, self.words = form, target, log, words
        self.free: np.ndarray | None = None
        self.weak: np.ndarray | None = None
        self.bodies = form.bodies()
        self._refuse_empty(self.bodies)
        self._owner = np.empty(0, int)
        self._modes: kernel.Modes | None = None
        if self.bodies.count:
            rigid = target.rigid and target.components == target.dim
            self._modes = kernel.Modes(form, self.bodies, rigid)
            self._loads = np.zeros(self.bodies.count)
        self._last = self._modes is None or self._modes.stopped(self.bodies)

    def kept(self, x: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return a solution (unknowns of this rank,) with the guess's part of what nothing holds. Collective.

        A preconditioner on the right may have added to it what the matrix does not see.
        """
        if self.free is None:
            return x.copy()
        return np.asarray(x - self.free @ self.form.space.comm.allreduce(self.free.T @ (x - before)))

    def look(self, symmetric: bool, bearing: Callable[[np.ndarray], np.ndarray]) -> None:
        """Find the modes that the matrix leaves free and tell PETSc. Collective.

        ``bearing`` applies the terms that depend on the value of the unknown itself to modes (unknowns of
        this rank, K). They may hold what the matrix leaves free, since its entries round them off.

        Raises
        ------
        SolveError
            If there are too many of them.
        """
        if self._modes is None:
            return
        mat, before = self.form.matrix.mat, self.free
        sizes = kernel.row_sizes(mat, symmetric)
        left, weak = kernel.find(mat, self._modes, sizes)
        number = sum(c.shape[1] for c in left)
        if number > MOST:
            chosen = np.isin(self.bodies.labels, np.flatnonzero([c.shape[1] for c in left])).any(axis=1)
            raise SolveError(
                f"mesh: solve failed: {self.target.name}: {number} motions of unconnected parts are held "
                f"by nothing, in {self.bodies.say(chosen)}"
            )
        self.free, self._owner = kernel.basis(self._modes, left) if number else (None, np.empty(0, int))
        if self.free is not None or before is not None:
            kernel.attach(mat, self.free)
        self.weak = None
        if any(c.shape[1] for c in weak):
            self.weak, _ = kernel.basis(self._modes, weak)
            image = kernel.products(mat, self.weak)
            # what is below rounding in a row is not what holds the mode
            image[np.abs(image) < self._modes.tiny * sizes[:, None] * np.abs(self.weak).max()] = 0.0
            self._gram = self.form.space.comm.allreduce(self.weak.T @ image)
        self._bear(bearing, sizes)
        if self.free is not None and before is None:
            for body in np.unique(self._owner):
                free = int((self._owner == body).sum())
                self.log.info(
                    f"{self.target.name}: {self.words.holder} {self._what(free)}{self._where(body)}; "
                    "the initial guess does"
                )
        if self._last:
            self._modes = None

    def _bear(self, bearing: Callable[[np.ndarray], np.ndarray], sizes: np.ndarray) -> None:
        """Count modes as weak, not as free, that terms hold below the rounding of the matrix. Collective."""
        if self.free is None:
            return
        comm = self.form.space.comm
        image = bearing(self.free)
        image[self.bodies.labels.ravel() < 0] = 0.0
        gram = comm.allreduce(self.free.T @ image)
        scale = comm.allreduce(np.sum(sizes[:, None] * self.free**2, axis=0))
        free, hard, owner = [], [], []
        for body in np.unique(self._owner):
            mine = np.flatnonzero(self._owner == body)
            squares, vectors = np.linalg.eigh(gram[np.ix_(mine, mine)])
            held = squares > FAINT * scale[mine].max()
            # combinations of all free modes: a contact may tie those of two bodies
            hard.append(np.eye(len(gram))[:, mine] @ vectors[:, held])
            free.append(self.free[:, mine] @ vectors[:, ~held] if held.any() else self.free[:, mine])
            owner += [body] * free[-1].shape[1]
        chosen = np.hstack(hard)
        if not chosen.shape[1]:
            return
        known = [] if self.weak is None else [(self.weak, self._gram)]
        blocks = [*known, (self.free @ chosen, chosen.T @ gram @ chosen)]
        self.weak, self._gram = np.hstack([c for c, _ in blocks]), _diagonal([g for _, g in blocks])
        self.free, self._owner = (np.hstack(free) if owner else None), np.array(owner, dtype=int)

    def check_loads(self, f: np.ndarray) -> None:
        """Refuse loads f (unknowns of this rank,) that a free body cannot balance. Collective.

        Raises
        ------
        SolveError
            If the loads on a body add up along a motion that nothing holds.
        """
        if self.free is None:
            return
        comm = self.form.space.comm
        net, total = kernel.net_loads(comm, self.free, f)
        for body in np.unique(self._owner):
            mine = self._owner == body
            # once equilibrium is reached, the residual is rounding: the largest load so far gives the scale,
            # and so do loads across the free motions, which leave rounding along these
            here = self.bodies.labels.ravel() == body
            every, count = comm.allreduce(np.array([np.abs(f[here]).sum(), here.sum()]))
            across = LITTLE * every / np.sqrt(count)
            self._loads[body] = load = max(self._loads[body], total[mine].max(), across)
            self._judge(body, net[mine].max() / load if load > 0 else 0.0)

    def settle(self, x: np.ndarray, residual: Callable[[np.ndarray], np.ndarray], load: np.ndarray) -> None:
        """Shift the solution x along weak modes until their loads balance; all (unknowns of this rank,).

        Collective. A solver leaves a residual that is small beside all loads, but not beside what holds these
        modes. ``load`` is the residual of the guess, whose rounding tells how well the level can be known.

        Raises
        ------
        SolveError
            If the level is rounding.
        """
        if self.weak is None:
            return
        comm = self.form.space.comm
        # each mode by its own scale: bodies may be held with any strengths
        scales = np.sqrt(np.abs(np.diag(self._gram)))
        if np.linalg.cond(self._gram / np.outer(scales, scales)) > SINGULAR:
            self._doubt(np.inf)
        for _ in range(SHIFTS):
            shift = self.weak @ np.linalg.solve(self._gram, comm.allreduce(self.weak.T @ residual(x)))
            x -= shift
            sizes = [float(np.max(np.abs(a), initial=0.0)) for a in (shift, x)]
            moved, size = np.max(comm.allgather(sizes), axis=0)
            if moved <= SETTLED * size:
                break
        noise = 10 * np.finfo(float).eps * kernel.net_loads(comm, self.weak, load)[1]
        shift = np.abs(self.weak) @ (np.abs(np.linalg.inv(self._gram)) @ noise)
        lost = max(comm.allgather(float(shift.max(initial=0.0))))
        if max(lost, moved) > SHARE * size:
            self._doubt(max(lost, moved))

    def _doubt(self, lost: float) -> None:
        """Refuse a level that rounding moves by ``lost``; tell it of a rigid motion without strain."""
        if not np.isfinite(lost):
            raise SolveError(
                f"solve failed: {self.target.name}: parts are held by weak contacts with each other only, "
                "and nothing holds their common level: prescribe a value in one of them"
            )
        if self.target.rigid:
            self.log.info(
                f"{self.target.name}: springs hold the body so weakly beside the loads that rounding moves "
                f"it by {lost:.2g}; strains are those of the loads"
            )
        else:
            raise SolveError(
                f"solve failed: {self.target.name}: conditions hold its level so weakly beside the loads "
                f"that rounding moves it by {lost:.2g}; hold it more firmly, or prescribe a value"
            )

    def check_size(self, step: np.ndarray, load: np.ndarray) -> None:
        """Refuse a step (unknowns of this rank,) that is mostly a motion without energy. Collective.

        With Σ |d_i f_i| of step d and load f far below Σ |a_ii| d_i², the solve has lost the digits that make
        the answer: its relative error is about the rounding unit over this ratio.

        Raises
        ------
        SolveError
            If the ratio is below `SMALLEST`.
        """
        comm, mat = self.form.space.comm, self.form.matrix.mat
        if self.weak is not None:
            step = step - self.weak @ comm.allreduce(self.weak.T @ step)
        diagonal = mat.getDiagonal()
        energy = np.abs(diagonal.getArray(readonly=True)) @ step**2
        diagonal.destroy()
        work, energy = comm.allreduce(np.array([np.abs(step) @ np.abs(load), energy]))
        if SMALLEST * energy <= work < DOUBTFUL * energy:
            self.log.info(
                f"warning: {self.target.name}: the equations are nearly singular, so that rounding may move "
                f"the solution by {np.finfo(float).eps * energy / work:.1g} of itself"
            )
        if work < SMALLEST * energy:
            where = self.bodies.say(self._outstanding(step))
            raise SolveError(
                f"solve failed: {self.target.name}: nearly nothing holds {where}: its value "
                f"is rounding (energy {work / energy:.1g} of that of the entries, least {SMALLEST:g}); "
                "a part may hang on single nodes, or a coefficient may be nearly zero"
            )

    def _outstanding(self, step: np.ndarray) -> np.ndarray:
        """Return the nodes at which a step is large. Collective."""
        size = np.abs(step.reshape(self.bodies.labels.shape)).max(axis=1)
        top = max(self.form.space.comm.allgather(float(size.max(initial=0.0))))
        return size > 0.1 * top

    def _judge(self, body: int, off: float) -> None:
        """Refuse an imbalance of a body, or mention it. Collective."""
        name = self.target.name
        if off > UNBALANCED:
            alone = self.bodies.count == 1
            end = "there is no solution" if self.target.linear else "give it another initial value"
            why = self.words.unbalanced.format(off=off, where=self._where(body))
            raise SolveError(
                f"{'' if alone else self.words.home}solve failed: {name}: {why}: {end}"
                + ("" if alone else f"; {self.words.remedy}")
            )
        if off > ROUNDING:
            self.log.detail(f"{name}: imbalance of {off:.2g} of the loads was removed{self._where(body)}")

    def _what(self, free: int) -> str:
        if not self.target.rigid:
            return "fixes its level"
        return f"prevents {free} rigid motion{'s' * (free > 1)}"

    def _where(self, body: int) -> str:
        """Return where a body is, nothing if it is the only one. Collective."""
        if self.bodies.count == 1:
            return ""
        here = self.bodies.say((self.bodies.labels == body).any(axis=1))
        return f" in {here}, one of {self.bodies.count} parts that nothing connects"

    def _refuse_empty(self, bodies: Bodies) -> None:
        """Refuse unknowns without an equation. Collective."""
        chosen = bodies.empty.any(axis=1)
        number = self.form.space.comm.allreduce(int(chosen.sum()))
        if number:
            where, zeros = bodies.say(chosen), self.target.zeros
            which = f"zero is {' and '.join(zeros)}" if zeros else "is a material property zero?"
            raise InputError(
                f"{(*zeros, 'physics')[0]}: {self.target.name}: nothing determines it at {number} nodes, "
                f"{where}: every coefficient of its equation is zero there; {which}"
            )


def _diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    """Return the matrix with these square blocks along its diagonal."""
    ends = np.cumsum([0, *(len(block) for block in blocks)])
    whole = np.zeros((ends[-1], ends[-1]))
    for block, a, b in zip(blocks, ends[:-1], ends[1:], strict=True):
        whole[a:b, a:b] = block
    return whole
