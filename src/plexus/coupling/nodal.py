"""Any field of a run on elements at its nodes, derived fields recovered from the cells around each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from plexus.coupling.named import NamedFields
from plexus.coupling.system import System
from plexus.fields.state import State
from plexus.formulation.sampling import derived_fields
from plexus.spaces.evaluate import Evaluator


class NodalFields(NamedFields):
    """Evaluates names on the nodes that all unknowns share."""

    def __init__(self, system: System, constants: Mapping[str, float]):
        space = next(iter(system.spaces.values())).with_components(1)
        self.system, self.evaluator = system, Evaluator(space.mesh)
        self.derived = derived_fields(system.equations)
        unknowns = {e.field.name: e.field for e in system.equations}
        derived = {name: d.spec for name, d in self.derived.items() if name not in unknowns}
        super().__init__(space, unknowns, derived, constants)

    def _named(self, name: str, state: State) -> np.ndarray:
        """Return an unknown as it is; recover a derived field."""
        if name in state.values:
            return state.values[name]
        fields = {n: (self.system.spaces[n], a) for n, a in state.values.items()}
        return self.evaluator.at_nodes(self.derived[name].formula, state.t, fields, self.space)
