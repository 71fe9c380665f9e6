"""Fields of a spectral state at its grid points: on the device for quantities, as rows for outputs.

The mean over the grid points is the trapezoidal rule of a periodic box: exact for every product of fields
whose modes the grid resolves. Of an ensemble there are mean and spread of each field over the members, as of
`plexus.coupling.cellfields`, and no single member.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.coupling.devicefields import DeviceFields, over_members
from plexus.coupling.named import AXES
from plexus.devices.tensors import rows_of
from plexus.protocols import Integrand
from plexus.protocols.fields import SPREAD, of_ensemble
from plexus.spaces import statistics
from plexus.spaces.controls import Sampled
from plexus.spaces.grid import GridPlaces

if TYPE_CHECKING:
    from plexus.coupling.spectral import SpectralSystem
    from plexus.fields.state import State
    from plexus.spaces.evaluate import Part


class GridFields(DeviceFields):
    """Evaluates names and functions of points on the points of a grid.

    The spectra make it one of `plexus.protocols.Spectra`, too.
    """

    def __init__(self, system: SpectralSystem, constants: Mapping[str, float], given: Sampled | None = None):
        self.system, shown, derived = system, system.shown, system.derived
        self._members: tuple[str, torch.Tensor] | None = None
        if system.members is not None:
            shown, derived = (of_ensemble(list(specs.values())) for specs in (shown, derived))
        dim = system.points.mesh.dim
        super().__init__(
            system.points, shown, derived, constants, system.device, dim,
            given or Sampled(system.controls), system.controls.specs,
        )  # fmt: skip

    def window(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values of a control at the own grid points, (1, n)."""
        return values.reshape(1, -1)

    def look(self, state: State) -> None:
        """Turn to a state and forget what belongs to another one."""
        if state is not self._state:
            self._members = None
        super().look(state)

    def _computed(self, name: str) -> torch.Tensor:
        if self.system.members is None:
            return self._of_model(name)
        base, _, end = name.rpartition("_")
        return over_members(self._all(base), f"_{end}")

    def _all(self, name: str) -> torch.Tensor:
        """Return a field of all members, (N, m, *shape). Collective."""
        # mean and spread are asked for one after the other
        if self._members is None or self._members[0] != name:
            self._members = name, self._of_model(name)
        return self._members[1]

    def _of_model(self, name: str) -> torch.Tensor:
        model, state = self.system.model, self.state
        derived: torch.Tensor = model.derived(name, state.values[model.unknown], state.t)
        return derived

    def part(self, name: str) -> torch.Tensor:
        """Return a field or one component of a vector or tensor whose mean square is asked for. Collective.

        On the device, (m, *shape); of a spread the deviations of the members, (N, m, *shape), whose squares
        add up to its square.
        """
        dim = self.space.mesh.dim
        if name in self.specs:
            return self._deviations(name)
        base, _, letters = name.rpartition("_")
        column = 0
        for letter in letters:
            column = dim * column + AXES.index(letter)
        return self._deviations(base).narrow(-dim - 1, column, 1)

    def _deviations(self, name: str) -> torch.Tensor:
        """Return a field (m, *shape), of a spread (u_k - mean) / (N - 1)^(1/2), (N, m, *shape)."""
        if self.system.members is None or not name.endswith(SPREAD):
            return self.tensor(name)
        u = self._all(name.removesuffix(SPREAD))
        return (u - u.mean(0)) / math.sqrt(max(len(u) - 1, 1))

    def spectrum(self, name: str) -> np.ndarray:
        """Return the power of a field or component in the complete shells κ = 0, 1, ... Collective.

        That of a spread is the power of the members' deviations from their mean.
        """
        space, grid = self.system.model.space.sibling(real=True), self.space.mesh
        power = statistics.spectrum(space, space.forward(self.part(name)))
        power = power.reshape(-1, power.shape[-1]).sum(0)
        complete = min(n * max(grid.size) / (2 * s) for n, s in zip(grid.cells, grid.size, strict=True))
        return power[: math.floor(complete + 1e-9) + 1].numpy()

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over the box. Collective."""
        return self.total(self.values(f).sum()) * (self.space.mesh.volume / self.space.mesh.n_global_cells)

    def _named(self, name: str) -> np.ndarray:
        return self.space.with_ghosts(rows_of(self.tensor(name), self.space.n_owned))

    def _located(self, xs: np.ndarray) -> GridPlaces:
        return GridPlaces(self.space.mesh, xs)
