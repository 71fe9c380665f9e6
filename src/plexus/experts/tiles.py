"""Tiles of an interval and a partition of unity over them.

    χ_k(x) = s((x - a_k)/w + 1/2) - s((x - a_k+1)/w + 1/2),    s(z) = 6z⁵ - 15z⁴ + 10z³ for z from 0 to 1

with inner edges a_k; the outer ones have no step. Windows have two continuous derivatives and add up to one.
As w is a length, tiles that are cut in pieces have windows that are sums of those of the pieces: what more
tiles can represent contains what fewer can.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch

from plexus.errors import InputError

Tensor = torch.Tensor


@dataclass(frozen=True)
class Tiles:
    """Equal tiles of (0, length).

    Attributes
    ----------
    count : number of tiles K.
    length : length of the interval.
    overlap : width w of the transition between two windows, at most that of a tile.

    Raises
    ------
    InputError
        If a transition would reach over a tile.
    """

    count: int
    length: float = 1.0
    overlap: float = 0.1

    def __post_init__(self) -> None:
        width = self.length / self.count
        if self.count > 1 and not 0 < self.overlap <= width * (1 + 1e-12):
            raise InputError(f"{self.count} tiles are {width:g} wide, and cannot overlap by {self.overlap:g}")

    @property
    def edges(self) -> list[float]:
        """Return the inner edges."""
        return [self.length * k / self.count for k in range(1, self.count)]

    def windows(self, x: Tensor) -> Tensor:
        """Return χ (K, n) at places (n,)."""
        return self._between([_step((x - a) / self.overlap + 0.5) for a in self.edges], x)

    def indicators(self, x: Tensor) -> Tensor:
        """Return 1 in each tile and 0 outside, (K, n)."""
        return self._between([(x >= a).to(x.dtype) for a in self.edges], x)

    @staticmethod
    def _between(steps: list[Tensor], x: Tensor) -> Tensor:
        # a_0 is left and a_K right of everything
        bounds = [torch.ones_like(x), *steps, torch.zeros_like(x)]
        return torch.stack([a - b for a, b in pairwise(bounds)])


def _step(z: Tensor) -> Tensor:
    z = z.clamp(0, 1)
    return z**3 * (10 - 15 * z + 6 * z**2)
