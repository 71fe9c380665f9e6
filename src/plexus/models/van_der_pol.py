"""Rates of the oscillator of Liénard and van der Pol: dx/dt = μ (x - x³/3 - w), dw/dt = x/μ."""

from __future__ import annotations

from collections.abc import Mapping

import torch


class VanDerPolModel:
    """Position x and Liénard's variable w, each (..., 1), both of order one for every μ."""

    sizes: Mapping[str, int] = {"position": 1, "lienard": 1}
    scales: Mapping[str, float] = {"position": 1.0, "lienard": 1.0}

    def __init__(self, mu: float):
        self.mu = mu

    def rates(self, values: Mapping[str, torch.Tensor], t: float) -> dict[str, torch.Tensor]:
        """Return dx/dt and dw/dt."""
        x, w = values["position"], values["lienard"]
        return {"position": self.mu * (x - x**3 / 3 - w), "lienard": x / self.mu}

    def jacobian(self, values: Mapping[str, torch.Tensor], t: float) -> torch.Tensor:
        """Return ∂(dx/dt, dw/dt)/∂(x, w), (..., 2, 2)."""
        x = values["position"]
        one = torch.ones_like(x)
        rows = torch.cat([self.mu * (1 - x * x), -self.mu * one, one / self.mu, 0 * one], dim=-1)
        return rows.unflatten(-1, (2, 2))

    def start(self) -> dict[str, torch.Tensor]:
        """Return a state on the slow branch, w = x - x³/3 at x = 2."""
        x = torch.tensor([2.0], dtype=torch.float64)
        return {"position": x, "lienard": x - x**3 / 3}

    def derived(self, name: str, values: Mapping[str, torch.Tensor], t: float) -> torch.Tensor:
        """Return ``velocity``, dx/dt."""
        return self.rates(values, t)["position"]
