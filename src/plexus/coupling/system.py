"""The coupled system: equations solved one after the other, each seeing the fields before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plexus.formulation.dirichlet import Dirichlet
    from plexus.protocols import Equation
    from plexus.solvers.implicit import ImplicitProblem
    from plexus.solvers.nonlinear import FieldSolver
    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space


class System:
    """All equations of a run on their spaces.

    Parameters
    ----------
    spaces, forms, solvers, prescribed : mapping
        By name of the unknown.
    equations : sequence of Equation
        In the order of solution.
    """

    def __init__(
        self,
        spaces: Mapping[str, Space],
        equations: Sequence[Equation],
        forms: Mapping[str, Form],
        solvers: Mapping[str, FieldSolver],
        prescribed: Mapping[str, Dirichlet],
    ):
        self.spaces, self.equations, self.forms = spaces, equations, forms
        self.solvers, self.prescribed = solvers, prescribed
        self.evolving = [e.field.name for e in equations if e.time_order > 0]
        self.instantaneous = [e.field.name for e in equations if e.time_order == 0]

    def solve(
        self,
        name: str,
        t: float,
        values: dict[str, np.ndarray],
        shift: float,
        offset: np.ndarray | None,
        held: bool = False,
    ) -> int:
        """Solve F(t, u, shift·u + offset) = 0 for one unknown in place, the others given. Collective.

        Prescribed values are those at time ``t``, or with ``held`` those that ``values`` has already.

        Returns
        -------
        int
            Krylov iterations.
        """
        if not held:
            self.apply_dirichlet(name, t, values[name])
        return self.solvers[name].solve(t, values[name], shift, offset, values).iterations

    def apply_dirichlet(self, name: str, t: float, array: np.ndarray) -> None:
        """Set prescribed values at time ``t`` in ``array`` (n_local, m), ghosts included."""
        self.prescribed[name].apply(t, array)

    def implicit(self, name: str) -> ImplicitProblem:
        """Return the equations of one unknown in the form that PETSc's TS integrates."""
        from plexus.solvers.implicit import ImplicitProblem

        return ImplicitProblem(self.solvers[name], self.prescribed[name].apply)

    def rms(self, name: str, array: np.ndarray) -> float:
        """Return the root mean square of a field array over all nodes. Collective."""
        space = self.spaces[name]
        total = space.comm.allreduce(float(np.sum(array[: space.n_owned] ** 2)))
        return float(np.sqrt(total / (space.n_global * space.components)))

    def largest(self, name: str, array: np.ndarray) -> float:
        """Return the largest magnitude of a field array. Collective."""
        from mpi4py import MPI

        # initial=0: a rank may own no node
        own = array[: self.spaces[name].n_owned]
        return float(self.spaces[name].comm.allreduce(np.max(np.abs(own), initial=0.0), MPI.MAX))

    @property
    def unknowns(self) -> int:
        """Number of unknowns of all equations on all ranks."""
        return sum(s.n_global * s.components for s in self.spaces.values())
