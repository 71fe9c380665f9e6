"""The convolutional network that maps a residual on a grid to a search direction, and what it costs.

One channel in and out, 3³ kernels with bias and zeros outside of the grid, ReLU after each of them but the
first; pairs of them bring a change that is added to what they got. In the middle the same on cells of twice
the width, by averages, whose answer is added on the fine cells again. Residuals come with a mean square of
one, so that biases mean the same on grids of all sizes. Neither linear nor symmetric.

Source: A. Kaneda, O. Akar, J. Chen, V. Trevino Kala, D. Hyde, J. Teran, ICML (2023),
doi:10.48550/arXiv.2205.10763.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

KERNEL = 27
"""Cells of a kernel."""
TINY = 1e-30
"""What keeps a residual of zeros from being divided by nothing."""


class Profile(NamedTuple):
    """Pairs of convolutions before the coarse cells, on them, and after them."""

    before: int
    coarse: int
    after: int


PROFILES = {"64": Profile(1, 3, 2), "128": Profile(2, 5, 3)}
"""The two published networks by the grid that they were made for."""


class Pair(nn.Module):
    """x + a(C a(C x)) with the ReLU a and convolutions C."""

    def __init__(self, channels: int):
        super().__init__()
        self.one, self.two = (nn.Conv3d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, channels, cells) of the same."""
        return x + torch.relu(self.two(torch.relu(self.one(x))))


class Directions(nn.Module):
    """The network with ``channels`` features; weights by seed, the same on every machine."""

    def __init__(self, profile: str = "64", channels: int = 16, seed: int = 0):
        super().__init__()
        self.profile, self.channels = profile, channels
        counts = PROFILES[profile]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = nn.Conv3d(1, channels, 3, padding=1)
            self.enter, self.leave = (nn.Conv3d(channels, channels, 3, padding=1) for _ in range(2))
            self.before, self.coarse, self.after = (
                nn.Sequential(*(Pair(channels) for _ in range(n))) for n in counts
            )
            self.last = nn.Conv3d(channels, 1, 1)
            for name, value in self.named_parameters():
                nn.init.zeros_(value) if name.endswith("bias") else nn.init.xavier_uniform_(value)
        # features of a cell side by side: half the time on a CPU
        for value in self.parameters():
            if value.dim() == 5:
                value.data = value.data.contiguous(memory_format=torch.channels_last_3d)

    def forward(self, r: Tensor, size: Tensor | None = None) -> Tensor:
        """Return directions (samples, nx, ny, nz) of residuals; ``size`` is their root mean square."""
        if size is None:
            size = r.square().mean((-3, -2, -1), keepdim=True).sqrt()
        x = torch.relu(self.enter(self.first((r / (size + TINY))[:, None])))
        fine = torch.relu(self.leave(self.before(x)))
        odd = [n % 2 for n in r.shape[:0:-1]]
        even = nn.functional.pad(fine, [pad for n in odd for pad in (0, n)])
        wide = self.coarse(nn.functional.avg_pool3d(even, 2))
        wide = wide.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
        x = fine + wide[..., : fine.shape[-3], : fine.shape[-2], : fine.shape[-1]]
        return self.last(self.after(x))[:, 0]


def parameters(profile: str, channels: int = 16) -> int:
    """Return the number of weights."""
    square = KERNEL * channels**2 + channels
    return (KERNEL + 1) * channels + (2 + 2 * sum(PROFILES[profile])) * square + channels + 1


def radius(profile: str) -> int:
    """Return how many cells away a residual still changes a direction, along an axis."""
    counts = PROFILES[profile]
    # two coarse cells per fine one, and one cell for the two that an average lies between
    return 3 + 2 * (counts.before + counts.after) + 4 * counts.coarse + 1


def flops(profile: str, channels: int = 16) -> float:
    """Return additions and multiplications of one application, per cell."""
    counts = PROFILES[profile]
    square = 2 * KERNEL * channels**2
    fine = 2 + 2 * (counts.before + counts.after)
    return 2 * KERNEL * channels + (fine + 2 * counts.coarse / 8) * square + 2 * channels
