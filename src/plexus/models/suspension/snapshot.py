"""One evaluation of a suspension: its state on the grid and the flow that it drives."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from plexus.models.suspension.medium import Number
from plexus.models.suspension.passive import Memory
from plexus.models.suspension.pointwise import Second
from plexus.models.suspension.stokes import Flow


@dataclass
class Snapshot:
    """One evaluation: the state on the grid and the flow that it drives."""

    state: Tensor
    """The model's unknown on the grid."""
    f: Tensor
    """Moments f_0..f_K, or as many as the stress needs, (..., M, nx, ny)."""
    flow: Flow
    zeta: Number
    second: Second
    sweeps: int
    change: float
    memory: Memory

    @property
    def g(self) -> Tensor:
        """Strain rate and steric field together, e + ζ f_1."""
        return self.flow.e + self.zeta * self.f[..., 1, :, :]

    @property
    def c(self) -> Tensor:
        """Concentration, real."""
        return self.f[..., 0, :, :].real
