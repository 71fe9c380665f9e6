"""A linear system as the time loop, outputs and quantities see it.

The state holds the unknowns by blocks (n_owned, m), own rows only. The unknown has no time derivative: at
every time its system is solved anew, from the solution before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.coupling.base import BaseSystem, Packed
from plexus.coupling.starts import evaluated
from plexus.coupling.systemfields import SystemFields
from plexus.fields.keys import Key, keyed
from plexus.fields.lost import first_lost, sentence
from plexus.protocols import FieldSpec, Instant
from plexus.spaces.controls import Controls

if TYPE_CHECKING:
    from plexus.coupling.readers import Reader
    from plexus.deck.params import Expression
    from plexus.fields.state import State
    from plexus.models.algebraic.form import AlgebraicForm
    from plexus.solvers.systems import SystemSolver
    from plexus.spaces.systems import SystemSpace

    Given = Sequence[Expression | None]


class AlgebraicSystem(BaseSystem):
    """A u = b of one unknown.

    Parameters
    ----------
    spec
        The unknown.
    form, solver
        Its equations, and what solves them.
    given
        Initial values by component; empty for zero.
    """

    together: Mapping[str, Sequence[str]] = {}
    algebraic: frozenset[str] = frozenset()
    evolving: Sequence[str] = ()
    starting: Sequence[FieldSpec] = ()
    passes = None

    def __init__(self, spec: FieldSpec, form: AlgebraicForm, solver: SystemSolver, given: Given = ()):
        self.spec, self.form, self.given = spec, form, given
        self.solvers, self.controls = {spec.name: solver}, Controls()
        self.spaces: dict[str, SystemSpace] = {spec.name: form.space}
        self.instantaneous, self._begun = [spec.name], form.t
        solver.rest = self.rest

    def start(self) -> dict[str, np.ndarray]:
        """Return the guess of the first solve."""
        space = self.form.space
        values, at = space.zeros(), dict(zip("xyz", space.points.T, strict=False)) | {"t": self._begun}
        for c, expression in enumerate(self.given[: space.components]):
            if expression is not None:
                values[:, c] = evaluated(expression, at, self.spec.name)
        return {self.spec.name: values}

    def rest(self) -> tuple[np.ndarray, Instant, dict[str, np.ndarray]]:
        """Return unknown, instant and fields as the run begins."""
        values = self.start()
        return values[self.spec.name], Instant(self._begun), values

    def traced(self, own: Mapping[str, Any]) -> Any:
        """Refuse: there are no controls that values could depend on."""
        raise NotImplementedError("a linear system offers no gradients")

    def reader(self, of: str, x: np.ndarray) -> Reader:
        """Refuse, as `traced`."""
        raise NotImplementedError("a linear system offers no gradients")

    def solve(self, name: str, values: dict[str, np.ndarray], at: Instant, held: bool = False) -> int:
        """Solve the system of the instant in place; return Krylov iterations. Collective."""
        self.solvers[name].turn(at.t)
        self.prescribe(name, at.t, values[name])
        return self.solvers[name].solve(values[name], at, values).iterations

    def complete(self, name: str, values: dict[str, np.ndarray], t: float) -> None:
        """Leave the values: there is one unknown."""

    def advance(self, name: str, values: dict[str, np.ndarray], at: Instant) -> dict[str, np.ndarray]:
        """Return nothing: there are no internal variables."""
        return {}

    def prescribe(self, name: str, t: float, array: np.ndarray) -> None:
        """Set u = 0 in the rows that say so."""
        fixed = self.form.fixed
        if fixed is not None:
            array[fixed] = 0.0

    def rms(self, name: str, array: np.ndarray) -> float:
        """Return the root mean square over all unknowns. Collective."""
        space = self.form.space
        total = space.comm.allreduce(float(np.sum(array**2)))
        return float(np.sqrt(total / (space.n_global * space.components)))

    def largest(self, name: str, array: np.ndarray) -> float:
        """Return the largest magnitude. Collective."""
        return float(self.form.comm.allreduce(float(np.abs(array).max(initial=0.0)), MPI.MAX))

    def evaluation(self, constants: Mapping[str, float]) -> SystemFields:
        """Return the fields by name."""
        return SystemFields(self, constants)

    def finite(self, values: Mapping[str, np.ndarray]) -> bool:
        """Return whether all values on this rank are finite; one that is not spoils the sum."""
        return all(np.isfinite(np.sum(a)) for a in values.values())

    def blame(self, state: State) -> list[str | None]:
        """Return where the unknown is lost. Collective."""
        space = self.form.space
        return [
            sentence(space.comm, name, state.t, first_lost(space.points, values))
            for name, values in state.values.items()
        ]

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the rows of the unknown."""
        return keyed("state", self.spaces)

    def pack(self, arrays: Mapping[Key, np.ndarray]) -> Packed:
        """Return the arrays with their space; they are rows already."""
        return {key: (self.spaces[key.field], a) for key, a in arrays.items()}

    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
        """Return the rows: they are the arrays."""
        return dict(rows)
