"""How far a closure or a reduced model is from the kinetic truth: plain arithmetic on tensors.

A-priori errors are relative mean squares. The one of S:T is that of S. Maddu, S. Weady, M. Shelley,
J. Comput. Phys. 504 (2024) 112869, doi:10.1016/j.jcp.2024.112869: mean square of the error over mean square
of the value for each component, averaged over components. It is flattered by what the traces fix, so f_2 and
f_3 are judged too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from plexus.models.suspension.stress import components

Tensor = torch.Tensor
LEVELS = (0.05, 0.3, 1.0)
"""Velocity errors whose first excess is a horizon."""
ROUNDING = 1e-9
"""How far beyond 1 a reflection coefficient may be."""


def relative_mse(found: Tensor, true: Tensor) -> float:
    """Return mean |found - true|² / mean |true|² over all entries."""
    return float((found - true).abs().square().sum() / true.abs().square().sum())


def stress_mse(found: tuple[Tensor, Tensor], true: tuple[Tensor, Tensor]) -> float:
    """Return the relative error of S:T, each given by its spin and its trace, averaged over 11, 12 and 22."""
    pairs = zip(components(*found), components(*true), strict=True)
    return sum(relative_mse(a, b) for a, b in pairs) / 3


def horizons(times: Tensor, errors: Tensor, levels: Sequence[float] = LEVELS) -> list[float]:
    """Return for each level the time at which the error first exceeds it, infinite where it never does.

    Between samples the error is taken as growing linearly. An error that is not finite exceeds every level.
    """
    found = []
    for level in levels:
        beyond = (~(errors <= level)).nonzero()
        if not len(beyond):
            found.append(math.inf)
            continue
        n = int(beyond[0])
        a, b = (float(errors[max(n - 1, 0)]), float(errors[n]))
        part = (level - a) / (b - a) if n and math.isfinite(b) else 1.0
        found.append(float(times[max(n - 1, 0)] + part * (times[n] - times[max(n - 1, 0)])))
    return found


def window(times: Tensor, start: float, stop: float = math.inf) -> Tensor:
    """Return which times lie in [start, stop], half a millionth beyond included for rounding."""
    return (times >= start - 5e-7) & (times <= stop + 5e-7)


def mean_error(times: Tensor, found: Tensor, true: Tensor, start: float, stop: float) -> float:
    """Return the mean |found - true| over [start, stop]."""
    inside = window(times, start, stop)
    return float((found - true)[inside].abs().mean())


def spectrum_error(found: Tensor, true: Tensor) -> float:
    """Return the root mean square of log10(found/true) over wave numbers."""
    return float((found / true).log10().square().mean().sqrt())


def shells(velocity: Tensor, highest: int) -> Tensor:
    """Return the energy of velocity fields (..., 2, n, n) in shells |k| = 1..highest of a square box.

    Shell s holds the modes with s - 1/2 <= |k| < s + 1/2, k in units of 2π / side.
    """
    n = velocity.shape[-1]
    k = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64)
    size = (k[:, None] ** 2 + k[None, :] ** 2).sqrt()
    power = torch.fft.fft2(velocity.double(), norm="forward").abs().square().sum(-3) / 2
    return torch.stack([power[..., (size - s).abs() <= 0.5].sum(-1) for s in range(1, highest + 1)], -1)
