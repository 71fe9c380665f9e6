"""The solve of one equation at one instant as a node of torch's graph: a KSP, a SNES, or a block of fields.

With u_t = shift·u + offset, as steppers ask for it, θ of F(u; θ) = 0 is

    start    where unknowns are prescribed, their values, else the guess, which nothing depends on,
    offset, others, before    see `plexus.solvers.adjoint.given`.

Steady solves, stages of a step and staggered equations are all of this kind: a march is a chain of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from plexus.protocols import Instant
from plexus.solvers.adjoint.given import Given
from plexus.solvers.adjoint.linearised import Linearised
from plexus.solvers.adjoint.memory import remembered
from plexus.solvers.adjoint.node import solution
from plexus.spaces.shared import Spread
from plexus.spaces.tested import TestedForm

if TYPE_CHECKING:
    from plexus.solvers.nonlinear import FieldSolver
    from plexus.spaces.assembly import Form

Tensor = torch.Tensor


class Stages:
    """Solves of one equation, differentiable: what they share.

    Parameters
    ----------
    solver : FieldSolver
        Solves, and takes part in gradients by its last matrix, factorisation and preconditioner.
    form : Form
        Its equations.
    """

    def __init__(self, solver: FieldSolver, form: Form):
        self.solver, self.form = solver, form
        self.tested, self.linearised = TestedForm(form), Linearised(solver)
        fixed = form.fixed
        self._fixed = None if fixed is None else torch.from_numpy(fixed)
        held = form.held
        self._held = (
            None if held is None else (torch.from_numpy(held.nodes), torch.from_numpy(held.projectors))
        )

    def solve(self, start: Tensor, at: Instant, others: Mapping[str, Tensor]) -> Tensor:
        """Return u (n_local, m) with F = 0, ghosts filled, differentiable in all tensors. Collective.

        Raises
        ------
        SolveError, GuardError
            As `plexus.solvers.nonlinear.FieldSolver.solve`; in a derivative, if a linear solve fails.
        """
        stage = Stage(self, Given(at, others))
        own = solution(stage, start, start, *Given.flat(at, others))
        return self.held(Spread.apply(own, self.form.space.halo), start)

    def advance(self, u: Tensor, at: Instant, others: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the internal variables to which a solution leads, differentiable in all tensors."""
        return remembered(self.tested, u, at, others)

    def held(self, u: Tensor, start: Tensor) -> Tensor:
        """Return u (n_local, m) with what is prescribed taken from ``start``."""
        if self._fixed is not None:
            u = torch.where(self._fixed, start, u)
        if self._held is not None:
            nodes, projectors = self._held
            u = u.index_add(0, nodes, torch.einsum("kij,kj->ki", projectors, start[nodes] - u[nodes]))
        return u


class Stage:
    """One solve (`plexus.protocols.adjoints.Solvable`); θ is start, then `Given`."""

    def __init__(self, of: Stages, given: Given):
        self.of, self.given = of, given
        self._tangent: int | None = None

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return the own rows of the solution, (n_owned, m). Collective."""
        u = guess.numpy().copy()
        self.of.solver.solve(u, *self.given.arrays(theta[1:]))
        # the last matrix of Newton's method is the tangent before the last step
        self._tangent = self._assembled if self.of.solver.target.linear else None
        return torch.from_numpy(u[: self.of.form.space.n_owned].copy())

    def tested(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀF, this rank's part. Collective."""
        start, *tail = theta
        at, others = self.given.read(tail)
        halo = self.of.form.space.halo
        u = self.of.held(Spread.apply(u, halo), start)
        return self.of.tested(at.t, u, at.rate(u), others, Spread.apply(lam, halo), at.since)

    def adjoint(self, u: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return λ (n_owned, m). Collective."""
        self._linearise(u, theta)
        found = self.of.linearised.transposed(v.numpy().ravel())
        return torch.from_numpy(found.reshape(v.shape))

    def tangent(self, u: Tensor, theta: Sequence[Tensor], b: Tensor) -> Tensor:
        """Return du (n_owned, m) for a load on the unknowns that are free. Collective."""
        self._linearise(u, theta)
        whole = b.new_zeros((self.of.form.space.n_local, *b.shape[1:]))
        whole[: len(b)] = b
        # what is prescribed takes no load
        free = self.of.held(whole, torch.zeros_like(whole))[: len(b)]
        found = self.of.linearised.solved(free.numpy().ravel())
        return torch.from_numpy(found.reshape(b.shape))

    def _linearise(self, u: Tensor, theta: Sequence[Tensor]) -> None:
        """Assemble the matrix at the solution, unless it still is the one that is assembled. Collective."""
        if self._tangent == self._assembled:
            return
        form, (at, others) = self.of.form, self.given.arrays(theta[1:])
        whole = self.of.held(Spread.apply(u, form.space.halo), theta[0]).numpy()
        form.jacobian(at.t, whole, at.rate(whole), at.shift, others, at.since)
        self._tangent = self._assembled

    @property
    def _assembled(self) -> int:
        """Number of the assembly whose values the matrix has, whoever asked for it."""
        return int(self.of.form.matrix.mat.stateGet())
