"""Fields of a spectral run by name, at its grid points: on the device for quantities, as rows for outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from plexus.coupling.named import NamedFields
from plexus.devices.tensors import rows_of
from plexus.fields.state import State

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

    def _meet(self, state: State) -> None:
        if state is not self._state:
            self._tensors = {}
        super()._meet(state)

    def _named(self, name: str, state: State) -> np.ndarray:
        return self.space.with_ghosts(rows_of(self.tensor(name, state), self.space.n_owned))
