"""Rates of Lorenz's chain of 1996: dX_i/dt = (X_(i+1) - X_(i-2)) X_(i-1) - X_i + F, indices modulo N."""

from __future__ import annotations

from collections.abc import Mapping

import torch

NUDGE = 0.008
"""What one value differs from F at the start (Lorenz and Emanuel 1998, section 3)."""


class Lorenz96Model:
    """The chain; ``state`` is (..., N).

    Parameters
    ----------
    n
        Number of values.
    forcing
        F, a number or a tensor that broadcasts against the state.
    """

    def __init__(self, n: int, forcing: float | torch.Tensor):
        self.n, self.forcing = n, forcing
        self.sizes: Mapping[str, int] = {"state": n}
        self.scales: Mapping[str, float] = {"state": 1.0}

    def rates(self, values: Mapping[str, torch.Tensor], t: float) -> dict[str, torch.Tensor]:
        """Return dX/dt."""
        x = values["state"]
        # one copy with closed ends serves all three shifts
        ring = torch.cat([x[..., -2:], x, x[..., :1]], dim=-1)
        advection = (ring[..., 3:] - ring[..., :-3]) * ring[..., 1:-2]
        return {"state": advection - x + self.forcing}

    def jacobian(self, values: Mapping[str, torch.Tensor], t: float) -> torch.Tensor:
        """Return ∂f_i/∂X_j (..., N, N): four entries per row."""
        x = values["state"]
        back, ahead, far = (torch.roll(x, shift, -1) for shift in (1, -1, 2))
        row = torch.arange(self.n, device=x.device)
        matrix = x.new_zeros(*x.shape, self.n)
        for shift, entry in ((1, back), (-2, -back), (-1, ahead - far), (0, -torch.ones_like(x))):
            matrix[..., row, (row + shift) % self.n] += entry
        return matrix

    def start(self) -> dict[str, torch.Tensor]:
        """Return the steady state F with one value a little larger."""
        x = torch.zeros(self.n, dtype=torch.float64) + self.forcing
        x[..., self.n // 2] += NUDGE
        return {"state": x}

    def derived(self, name: str, values: Mapping[str, torch.Tensor], t: float) -> torch.Tensor:
        """Return ``energy``, X²/2."""
        return values["state"] ** 2 / 2
