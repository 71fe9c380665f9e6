"""One problem of all tiles for the blended field u = l + Σ_k χ_k g b·ω_k, product rule included.

The field is as smooth as the windows without any condition at edges, and as Σ χ_k = 1 its residual is never
above that of a single global combination.
"""

from __future__ import annotations

from plexus.experts.couplings.base import CouplingBase, Tensor
from plexus.experts.tiles import Tiles


class Windows(CouplingBase):
    """Smooth windows."""

    def windows(self, tiles: Tiles, x: Tensor) -> Tensor:
        """Return χ."""
        return tiles.windows(x)
