"""The state of a run: values of all unknowns at one time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class State:
    """Values of the unknowns at time ``t`` [s] after ``step`` steps.

    ``values``: name of the unknown -> array of the system's own kind in SI units: on elements (n_local, m)
    float64 nodal values with ghosts up to date, in Fourier space a tensor of modes on the device.
    """

    values: dict[str, Any]
    t: float = 0.0
    step: int = 0

    def copy(self) -> State:
        """Return a state with its own arrays, for systems on elements."""
        return State({name: array.copy() for name, array in self.values.items()}, self.t, self.step)
