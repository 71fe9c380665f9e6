"""A system whose values are tensors: the same steppers march it, and every solve is a node of torch's graph.

A march of θ or BDF2 steps, with equations solved one after the other, is thus a chain of nodes, and the
gradient of a number at its end runs back through it. Lengths of steps count as given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.coupling.ontensors import OnTensors
from plexus.coupling.starts import start
from plexus.coupling.tracedfields import TracedFields
from plexus.fields.stacks import stacked
from plexus.protocols import Instant
from plexus.solvers.adjoint.stage import Stages

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.solvers.nonlinear import FieldSolver

Tensor = torch.Tensor
Tensors = dict[str, Tensor]


class Traced(OnTensors):
    """`plexus.protocols.Implicit` on tensors (n_local, m), ghosts filled. Construction is collective.

    Parameters
    ----------
    system : System
        Spaces, forms and solvers.
    controls : mapping
        Own values of controls by name, tensors; those that are left out keep their present values.
    """

    def __init__(self, system: System, controls: Mapping[str, Tensor] | None = None):
        super().__init__(system)
        self.evolving, self.instantaneous = system.evolving, system.instantaneous
        self.together, self.algebraic, self.passes = system.together, system.algebraic, system.passes
        self.rows = {name: torch.from_numpy(a) for name, a in system.controls.values.items()}
        self.rows |= system.controls.spread(controls or {})

    def start(self) -> Tensors:
        """Return the values with which a run begins. Collective."""
        return start(self, *self.system.opening)

    def begin(self) -> Tensors:
        """Return the internal variables at the start."""
        return {name: torch.from_numpy(rows) for name, rows in self.system.begin().items()}

    def array(self, rows: np.ndarray) -> Tensor:
        """Return rows as an array of this system's kind: a tensor."""
        return torch.from_numpy(rows)

    def evaluation(self, constants: Mapping[str, float]) -> TracedFields:
        """Return the fields of a state of tensors."""
        return TracedFields(self, constants)

    def solve(self, name: str, values: Tensors, at: Instant, held: bool = False) -> int:
        """Put the solution of one equation into ``values``; return Krylov iterations. Collective."""
        if not held:
            for part in self.together.get(name, (name,)):
                self.prescribe(part, at.t, values[part])
        return self._solve(name, self.system.solvers[name], values, at)

    def complete(self, name: str, values: Tensors, t: float) -> None:
        """Put the unknowns of a block without time derivative into ``values``, others held. Collective."""
        for part in self.together[name]:
            if part in self.algebraic:
                values[part] = values[part].clone()
                self.prescribe(part, t, values[part])
        solver = self.system.completion(name)
        self._solve(f"{name} completed", solver, values, Instant(t), self.together[name])

    def _solve(self, key: str, solver: FieldSolver, values: Tensors, at: Instant, parts: Any = None) -> int:
        parts = parts or self.together.get(key, (key,))
        stages = self.system.stages
        if key not in stages:
            stages[key] = Stages(solver, solver.form)  # type: ignore[arg-type]  # of elements
        u = stages[key].solve(stacked(parts, values), at, self._beside(parts, values))
        columns = stages[key].form.columns
        values.update({part: u[:, columns[part]] for part in parts} if columns else {key: u})
        return solver.records[-1].iterations

    def advance(self, name: str, values: Tensors, at: Instant) -> Tensors:
        """Return the internal variables to which the solved equation of ``name`` leads."""
        if name not in self.system.internal:
            return {}
        parts = self.together.get(name, (name,))
        return self.system.stages[name].advance(stacked(parts, values), at, self._beside(parts, values))

    def _beside(self, parts: Any, values: Tensors) -> Tensors:
        """Return controls and values that are none of a block's."""
        return {name: a for name, a in {**self.rows, **values}.items() if name not in parts}

    def prescribe(self, name: str, t: float, array: Tensor) -> None:
        """Set prescribed values at time ``t`` in ``array`` (n_local, m), ghosts included."""
        self.system.prescribed[name].apply(t, array, self.rows)

    def rms(self, name: str, array: Tensor) -> float:
        """Return the root mean square over all nodes. Collective."""
        return self.system.rms(name, array.detach().numpy())

    def largest(self, name: str, array: Tensor) -> float:
        """Return the largest magnitude. Collective."""
        return self.system.largest(name, array.detach().numpy())

    def finite(self, values: Tensors) -> bool:
        """Return whether all values on this rank are finite."""
        return self.system.finite({name: a.detach().numpy() for name, a in values.items()})
