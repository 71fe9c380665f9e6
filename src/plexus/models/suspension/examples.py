"""Random states of a suspension on which closures can be tried: moments that some distribution has."""

from __future__ import annotations

import math

import torch

from plexus.models.suspension import toeplitz

Tensor = torch.Tensor


def states(order: int, shape: tuple[int, ...], seed: int = 0, reach: float = 0.98) -> dict[str, Tensor]:
    """Return c, f_1..f_K, strain, vorticity, |∇f_1| and constants at independent points.

    Each f_m/c is drawn from the disk that the moments before it leave open, uniformly up to ``reach`` of its
    radius.
    """
    generator = torch.Generator().manual_seed(seed)

    def real() -> Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    def phase() -> Tensor:
        return torch.polar(torch.ones(shape, dtype=torch.float64), 2 * math.pi * real())

    fields = {"c": 0.8 + 0.4 * real(), "W": 4 * real() - 2, "e": 2 * real() * phase(), "grad_f1": real()}
    fields |= {"zeta": 0.2 + real(), "d_R": 0.02 + 0.1 * real()}
    moments: list[Tensor] = []
    for m in range(1, order + 1):
        drawn = reach * real().sqrt() * phase()
        room = toeplitz.disk(moments) if moments else None
        moments.append(drawn if room is None else room.center + room.radius * drawn)
        fields[f"f{m}"] = fields["c"] * moments[-1]
    return fields
