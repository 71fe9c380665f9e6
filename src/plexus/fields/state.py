"""The state of a run: values of all unknowns at one time, and what the material remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class State:
    """Values of the unknowns at time ``t`` [s] after ``step`` steps.

    ``values``: name of the unknown -> array of the system's own kind in SI units: on elements (n_local, m)
    float64 nodal values with ghosts up to date, in Fourier space a tensor of modes on the device.
    ``internal``: name of the internal variable -> rows at the quadrature points (n_local, m), ghost cells
    included (`plexus.spaces.quadrature_space`); empty for models without memory. As the memory lives here, a
    step that is rejected leaves no trace.
    """

    values: dict[str, Any]
    t: float = 0.0
    step: int = 0
    internal: Mapping[str, Any] = field(default_factory=dict)
