"""Constants of a suspension of rods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

Number = float | Tensor


@dataclass(frozen=True)
class Medium:
    """Constants of a suspension: numbers, or tensors, 0-d or (B, 1, 1) for a batch, with gradients."""

    alpha: Number = -1.0
    """Dipole strength; negative for pushers."""
    beta: Number = 0.8
    """Constraint (particle) stress."""
    zeta: Number = 1.0
    """Steric alignment."""
    d_T: Number = 0.05
    d_R: Number = 0.05

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The constants that are tensors, by name."""
        return {k: v for k, v in vars(self).items() if isinstance(v, Tensor)}

    def numbers(self) -> dict[str, float]:
        """Return the constants that are single numbers, by name."""
        every = {name: getattr(self, name) for name in ("alpha", "beta", "zeta", "d_T", "d_R")}
        return {k: float(v) for k, v in every.items() if not isinstance(v, Tensor) or v.numel() == 1}


def aligned(value: Number) -> Number:
    """Return a constant such that it broadcasts to (..., M, nx, ny)."""
    return value.unsqueeze(-3) if isinstance(value, Tensor) and value.dim() >= 3 else value
