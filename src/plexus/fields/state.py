"""The state of a run: values of all unknowns at one time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class State:
    """Values of the unknowns at time ``t`` [s] after ``step`` steps.

    ``values``: field name -> (n_local, m) float64 nodal values in SI units, ghosts up to date.
    """

    values: dict[str, np.ndarray]
    t: float = 0.0
    step: int = 0

    def copy(self) -> State:
        """Return a state with its own arrays."""
        return State({name: array.copy() for name, array in self.values.items()}, self.t, self.step)
