"""An implicit step of a model without a mesh: the roots that it looks for, of all members at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from plexus.solvers.batched.newton import Roots
from plexus.spaces.blocks import Blocks

if TYPE_CHECKING:
    from plexus.coupling.points import PointSystem
    from plexus.protocols import Instant

STATE = "state"
"""Name of the one tensor in `plexus.fields.state.State.values`."""


class Stage(Roots):
    """F(X; offset) = shift·X + offset - f(X, t) for the members of a rank."""

    def __init__(self, system: PointSystem, at: Instant):
        super().__init__(self.residual, (0,))
        self.system, self.at = system, at

    def residual(self, x: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        """Return F, (..., n)."""
        return self.at.shift * x + offset - self.system.joined(x, self.at.t)

    def values(self, u: torch.Tensor, theta: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return F of all members at once, which models can."""
        return self.residual(u, *theta)

    def matrix(self, u: torch.Tensor, theta: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return shift - ∂f/∂X, (M, n, n)."""
        identity = torch.eye(u.shape[-1], dtype=u.dtype, device=u.device)
        return self.at.shift * identity - self.system.jacobian(u, self.at.t)

    def blocks(self, u: torch.Tensor) -> Blocks:
        """Return the unknowns, each of which converges in its own size."""
        return self.system.blocks
