"""A model in Fourier space that steppers march with its graph; what it remembers goes on with the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from plexus.coupling.gridfields import GridFields
from plexus.coupling.ontensors import OnTensors
from plexus.coupling.smooth import Smooth

if TYPE_CHECKING:
    from plexus.coupling.spectral import SpectralSystem
    from plexus.protocols import SpectralModel


class SmoothModes(Smooth, GridFields):
    """Fields at grid points whose numbers have gradients."""


class TracedModes(OnTensors):
    """`plexus.protocols.Split` for gradients.

    Constants of a model whose terms are made with tensors carry gradients; every rank has a part of them.

    Parameters
    ----------
    system
        Names and norms.
    model
        The equations with tensors for constants; by default the system's own.
    """

    def __init__(self, system: SpectralSystem, model: SpectralModel | None = None):
        super().__init__(system)
        self.model = model or system.model

    @property
    def linear(self) -> torch.Tensor:
        """The diagonal part L."""
        return self.model.linear

    def explicit(self, hat: torch.Tensor, t: float) -> torch.Tensor:
        """Return the modes of the rest. Collective, differentiable."""
        return self.model.explicit(hat, t)

    def start(self) -> dict[str, torch.Tensor]:
        """Return the modes with which a run begins. Collective."""
        found: dict[str, torch.Tensor] = self.system.opening(self.model)
        return found

    def evaluation(self, constants: Mapping[str, float]) -> SmoothModes:
        """Return the fields of a state of tensors."""
        view: Any = self  # shows all that fields ask of a system, with the model of tensors
        return SmoothModes(view, constants, self.model.space.given)

    def rms(self, hat: torch.Tensor) -> float:
        """Return the root mean square over box, fields and members. Collective."""
        return self.system.rms(hat.detach())

    def remembered(self) -> Mapping[str, torch.Tensor]:
        """Return what the model remembers from step to step."""
        return self.model.memory()

    def remind(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Give it back."""
        self.model.restore(memory)
