"""Fields of a spectral run by name, at its grid points: on the device for quantities, as rows for outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from plexus.coupling.named import AXES, NamedFields
from plexus.devices.tensors import rows_of
from plexus.fields.state import State
from plexus.spaces import statistics

if TYPE_CHECKING:
    import torch

    from plexus.coupling.spectral import SpectralSystem


class GridFields(NamedFields):
    """Evaluates names on the points of a grid; a field is computed once per state."""

    def __init__(self, system: SpectralSystem, constants: Mapping[str, float]):
        self.system = system
        self._tensors: dict[str, torch.Tensor] = {}
        super().__init__(system.points, system.shown, system.derived, constants)

    def tensor(self, name: str, state: State) -> torch.Tensor:
        """Return a field of `specs` on the device, (m, *shape), real. Collective."""
        self._meet(state)
        if name not in self._tensors:
            model = self.system.model
            self._tensors[name] = model.derived(name, state.values[model.unknown], state.t)
        return self._tensors[name]

    def part(self, name: str, state: State) -> torch.Tensor:
        """Return a field or one component of a vector or tensor on the device, (m, *shape). Collective."""
        if name in self.specs:
            return self.tensor(name, state)
        base, _, letters = name.rpartition("_")
        column = 0
        for letter in letters:
            column = self.space.mesh.dim * column + AXES.index(letter)
        return self.tensor(base, state)[column : column + 1]

    def spectrum(self, name: str, state: State) -> np.ndarray:
        """Return the power of a field or component in the complete shells κ = 0, 1, ... Collective."""
        space, grid = self.system.model.space.sibling(real=True), self.space.mesh
        power = statistics.spectrum(space, space.forward(self.part(name, state))).sum(0)
        complete = min(n * max(grid.size) / (2 * s) for n, s in zip(grid.cells, grid.size, strict=True))
        return power[: math.floor(complete + 1e-9) + 1].numpy()

    def _meet(self, state: State) -> None:
        if state is not self._state:
            self._tensors = {}
        super()._meet(state)

    def _named(self, name: str, state: State) -> np.ndarray:
        return self.space.with_ghosts(rows_of(self.tensor(name, state), self.space.n_owned))
