"""Experts that do not know of each other, pasted together: each makes the residual of its own points least.

N. Chalapathi, Y. Du, A. Krishnapriyan, Scaling physics-informed hard constraints with mixture-of-experts,
2024, doi:10.48550/arXiv.2402.13412. For comparison: the field jumps from tile to tile.
"""

from __future__ import annotations

from plexus.experts.couplings.base import CouplingBase, Tensor, spread
from plexus.experts.line import Line
from plexus.experts.tiles import Tiles


class Uncoupled(CouplingBase):
    """Windows with jumps."""

    def windows(self, tiles: Tiles, x: Tensor) -> Tensor:
        """Return 1 in each tile."""
        return tiles.indicators(x)

    def seen(self, line: Line, functions: Tensor, blended: Tensor, tiles: Tiles) -> Tensor:
        """Return q inside of the tiles, which know nothing of the jumps."""
        return spread(line.q(functions), tiles.indicators(line.x))
