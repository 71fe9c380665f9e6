"""Fields of a spectral state at its grid points: on the device for quantities, as rows for outputs.

The mean over the grid points is the trapezoidal rule of a periodic box: exact for every product of fields
whose modes the grid resolves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.coupling.devicefields import DeviceFields
from plexus.coupling.named import AXES
from plexus.devices.tensors import rows_of
from plexus.protocols import Integrand
from plexus.spaces import statistics
from plexus.spaces.grid import GridPlaces

if TYPE_CHECKING:
    from plexus.coupling.spectral import SpectralSystem
    from plexus.spaces.evaluate import Part


class GridFields(DeviceFields):
    """Evaluates names and functions of points on the points of a grid.

    The spectra make it one of `plexus.protocols.Spectra`, too.
    """

    def __init__(self, system: SpectralSystem, constants: Mapping[str, float]):
        self.system = system
        dim = system.points.mesh.dim
        super().__init__(system.points, system.shown, system.derived, constants, system.device, dim)

    def _computed(self, name: str) -> torch.Tensor:
        model, state = self.system.model, self.state
        derived: torch.Tensor = model.derived(name, state.values[model.unknown], state.t)
        return derived

    def part(self, name: str) -> torch.Tensor:
        """Return a field or one component of a vector or tensor on the device, (m, *shape). Collective."""
        if name in self.specs:
            return self.tensor(name)
        base, _, letters = name.rpartition("_")
        column = 0
        for letter in letters:
            column = self.space.mesh.dim * column + AXES.index(letter)
        return self.tensor(base)[column : column + 1]

    def spectrum(self, name: str) -> np.ndarray:
        """Return the power of a field or component in the complete shells κ = 0, 1, ... Collective."""
        space, grid = self.system.model.space.sibling(real=True), self.space.mesh
        power = statistics.spectrum(space, space.forward(self.part(name))).sum(0)
        complete = min(n * max(grid.size) / (2 * s) for n, s in zip(grid.cells, grid.size, strict=True))
        return power[: math.floor(complete + 1e-9) + 1].numpy()

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over the box. Collective."""
        total = self.space.comm.allreduce(float(self.values(f).sum()))
        return float(total * self.space.mesh.volume / self.space.mesh.n_global_cells)

    def _named(self, name: str) -> np.ndarray:
        return self.space.with_ghosts(rows_of(self.tensor(name), self.space.n_owned))

    def _located(self, xs: np.ndarray) -> GridPlaces:
        return GridPlaces(self.space.mesh, xs)
