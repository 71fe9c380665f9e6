"""What a coupling says: the functions of the field, what the rows of the constraint see, conditions at edges.

Functions g b are (M, N, nt, nx); those of all tiles (M, K N, nt, nx), tile by tile.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from plexus.experts.line import Line
from plexus.experts.tiles import Tiles

Tensor = torch.Tensor


class CouplingBase(ABC):
    """Base of couplings."""

    @abstractmethod
    def windows(self, tiles: Tiles, x: Tensor) -> Tensor:
        """Return the windows χ (K, nx) with which the experts are put together."""

    def field(self, functions: Tensor, tiles: Tiles, x: Tensor) -> Tensor:
        """Return χ g b of all tiles."""
        return spread(functions, self.windows(tiles, x))

    def seen(self, line: Line, functions: Tensor, blended: Tensor, tiles: Tiles) -> Tensor:
        """Return what rows see of q, (M, d, K N, nt, nx)."""
        return line.q(blended)

    def conditions(self, functions: Tensor, tiles: Tiles, x: Tensor) -> Tensor:
        """Return rows of conditions C (M, c, K N); C ω = 0."""
        m, n = functions.shape[0], functions.shape[1] * tiles.count
        return functions.new_zeros(m, 0, n)


def spread(functions: Tensor, windows: Tensor) -> Tensor:
    """Return functions (..., N, nt, nx) times windows (K, nx), (..., K N, nt, nx)."""
    many = functions.unsqueeze(-4) * windows[:, None, None]
    return many.flatten(-4, -3)
