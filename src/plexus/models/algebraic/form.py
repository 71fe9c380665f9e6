"""F(t, u) = A u - b of a linear system, which may be another one at every time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from petsc4py import PETSc

from plexus.fields.norms import norm
from plexus.models.algebraic.bodies import Bodies, bodies
from plexus.models.algebraic.matrix import SystemMatrix, asymmetry
from plexus.protocols import NOTHING, Since
from plexus.spaces.systems import SystemSpace

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.protocols import Layout, Problem

ROUNDING = 1e-10
"""Relative difference of mirrored entries that is rounding."""


class AlgebraicForm:
    """The equations of one unknown; `plexus.solvers.equations.Equations`. Construction is collective.

    Parameters
    ----------
    problem
        The system.
    layout
        Its blocks on this rank.
    t
        Time of the first matrix [s].

    Attributes
    ----------
    system : the own rows at the time of the last `turn`.
    worst : largest relative difference of mirrored entries, with row and column.
    """

    def __init__(self, problem: Problem, layout: Layout, t: float):
        self.problem, self.layout, self.space = problem, layout, SystemSpace(layout)
        self._make(t)

    def _make(self, t: float) -> None:
        """Make matrix and right-hand side of a time. Collective."""
        self.t, self.system = t, self.problem.system(self.layout, t)
        self.matrix = SystemMatrix(self.space, self.system, self.problem.definite)
        self.worst = (0.0, 0, 0) if self.problem.symmetric else asymmetry(self.matrix.mat, self.system)
        self.symmetric = self.worst[0] <= ROUNDING

    def turn(self, t: float) -> bool:
        """Turn to the system of time ``t`` [s]; return whether the matrix is another one. Collective."""
        if not self.problem.sequence or t == self.t:
            return False
        before = self.matrix
        self._make(t)
        before.destroy()
        return True

    @property
    def fixed(self) -> np.ndarray | None:
        """Rows that say u = 0, (n_local, m); None for none."""
        held = self.system.held
        return None if held is None else held.reshape(-1, self.space.components)

    @property
    def comm(self) -> Comm:
        """The ranks."""
        return self.space.comm

    def load(self) -> float:
        """Return ‖b‖. Collective."""
        return norm(self.comm, self.system.rhs)

    def near_nullspace(self) -> PETSc.NullSpace:
        """Return the vectors that cost hardly any energy, orthonormal; else a constant per component."""
        near, m = self.system.near, self.space.components
        if near is None and m == 1:
            return PETSc.NullSpace().create(constant=True, comm=self.comm)
        columns = np.tile(np.eye(m), (self.space.n_owned, 1)) if near is None else near
        vectors = [self.space.vector() for _ in range(columns.shape[1])]
        # Cholesky of the Gram matrix makes them orthonormal without another exchange
        gram = self.comm.allreduce(columns.T @ columns)
        for vector, column in zip(vectors, np.linalg.solve(np.linalg.cholesky(gram), columns.T), strict=True):
            vector.setArray(column)
        return PETSc.NullSpace().create(vectors=vectors, comm=self.comm)

    def bodies(self) -> Bodies:
        """Return the parts of the system that no entry joins; none where it is definite. Collective."""
        return bodies(self.space, self.system, self.problem.definite)

    def parts(self) -> Mapping[str, PETSc.IS]:
        """Return nothing: there is one unknown."""
        return {}

    def residual(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        fields: Mapping[str, Any],
        since: Since = NOTHING,
    ) -> np.ndarray:
        """Return A u - b, (n_owned, m). Collective."""
        x, y = self.matrix.work
        x.setArray(u[: self.space.n_owned].ravel())
        self.matrix.mat.mult(x, y)
        found: np.ndarray = y.getArray(readonly=True) - self.system.rhs
        return found.reshape(-1, self.space.components)

    def unanswered(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        fields: Mapping[str, Any],
        since: Since,
    ) -> None:
        """Return None: a matrix asks no material."""

    def bearing(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Mapping[str, Any],
        since: Since,
        v: np.ndarray,
    ) -> np.ndarray:
        """Return zero: whatever holds a mode is in the matrix."""
        return np.zeros_like(v[:, : self.space.n_owned])

    def jacobian(
        self,
        t: float,
        u: np.ndarray,
        rate: np.ndarray | None,
        shift: float,
        fields: Mapping[str, Any],
        since: Since = NOTHING,
    ) -> PETSc.Mat:
        """Return A."""
        return self.matrix.mat
