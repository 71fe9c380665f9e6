"""Experts side by side, with conditions as rows: value and slope do not jump at edges.

All tiles have one basis, so the jump at an edge is (ω_k - ω_j)·g b there. With more conditions than
functions, and much weight, the tiles have one ω: this is one global expert. For comparison.
"""

from __future__ import annotations

import torch

from plexus.experts.couplings.base import Tensor
from plexus.experts.couplings.none import Uncoupled
from plexus.experts.tiles import Tiles


class Rows(Uncoupled):
    """Jumps that cost.

    Parameters
    ----------
    weight
        Of a row in units of a row of the equation.
    """

    def __init__(self, weight: float = 10.0):
        self.weight = weight

    def conditions(self, functions: Tensor, tiles: Tiles, x: Tensor) -> Tensor:
        """Return the jumps of value and slope at all edges and times."""
        m, n, times, _ = functions.shape
        parts = []
        for k, edge in enumerate(tiles.edges):
            right = int((x < edge).sum())
            left, h = right - 1, float(x[right] - x[right - 1])
            pair = functions[..., left], functions[..., right]
            for trace in ((pair[0] + pair[1]) / 2, (pair[1] - pair[0]) / h * tiles.length / tiles.count):
                row = functions.new_zeros(m, times, tiles.count, n)
                row[:, :, k], row[:, :, k + 1] = trace.mT, -trace.mT
                parts.append(row.flatten(2))
        found = parts or [functions.new_zeros(m, 0, tiles.count * n)]
        return self.weight * torch.cat(found, 1)
