"""Statistics of periodic fields over all ranks: shell spectra, distributions, moments.

A shell spectrum sums |û|² over the modes with κ - 1/2 <= |k| L/2π < κ + 1/2, L the longest side, so that its
sum is the mean of |u|² over the box. Results are CPU tensors, the same on all ranks.
"""

from __future__ import annotations

import math

import torch

from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor


def shells(space: Fourier) -> Tensor:
    """Return the shell κ of every mode of this rank, (*hat_shape) integers."""
    unit = 2 * math.pi / max(space.lengths)
    return (space.k2.sqrt() / unit + 0.5).floor().long()


def spectrum(space: Fourier, hat: Tensor) -> Tensor:
    """Return the power in the shells κ = 0, 1, ..., (..., shells), of modes (..., *hat_shape). Collective."""
    index, count = shells(space).reshape(-1), 1 + _last(space)
    power = (space.weight * (hat.real**2 + hat.imag**2)).reshape(*hat.shape[: -space.dim], -1)
    sums = power.new_zeros((*power.shape[:-1], count)).index_add(-1, index, power)
    return space.sum(sums).cpu()


def _last(space: Fourier) -> int:
    """Return the shell of the mode that is farthest from the mean."""
    unit = 2 * math.pi / max(space.lengths)
    corner = math.hypot(*(math.pi * n / length for n, length in zip(space.cells, space.lengths, strict=True)))
    return math.floor(corner / unit + 0.5)


def energy_spectrum(space: Fourier, hat: Tensor) -> Tensor:
    """Return E(κ) of a velocity's modes (d, *hat_shape): its sum is the mean of |u|²/2. Collective."""
    return spectrum(space, hat).sum(0) / 2


def moments(space: Fourier, u: Tensor) -> dict[str, Tensor]:
    """Return mean, variance, skewness and flatness of fields (..., *shape), one number each. Collective."""
    mean = space.mean(u)
    d = u - mean.reshape(*mean.shape, *(1,) * space.dim)
    variance = space.mean(d**2)
    normal = {p: space.mean(d**p) / variance ** (p / 2) for p in (3, 4)}
    found = {"mean": mean, "variance": variance, "skewness": normal[3], "flatness": normal[4]}
    return {name: value.cpu() for name, value in found.items()}


def density(
    space: Fourier, u: Tensor, bins: int = 100, limits: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """Return the probability density of a real field's values over the box, and the bins' edges. Collective.

    ``limits`` default to the smallest and the largest value; what lies beyond given limits is left out, so
    that the density integrates to the share of the box between them.
    """
    low, high = limits or (-float(space.max(-u)), float(space.max(u)))
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64)
    width = (high - low) / bins
    place = ((u - low) / width).floor().long() if width > 0 else torch.zeros_like(u, dtype=torch.long)
    place = torch.where(u == high, bins - 1, place).reshape(-1)
    inside = place[(place >= 0) & (place < bins)]
    counts = space.sum(torch.bincount(inside, minlength=bins).to(torch.float64)).cpu()
    points = math.prod(space.cells) * (u.numel() // math.prod(space.shape))
    return counts / (points * (width or 1.0)), edges


def divergence(p: Tensor, q: Tensor, floor: float = 1e-12) -> float:
    """Return the Kullback-Leibler divergence Σ p ln(p/q) of two densities on equal bins, both normalised."""
    p, q = p / p.sum(), q / q.sum()
    return float((p * ((p + floor) / (q + floor)).log()).sum())
