"""How far value and slope of a field jump over the edges of tiles, as its points on both sides tell."""

from __future__ import annotations

import torch

from plexus.experts.line import Line
from plexus.experts.stencils import derivative
from plexus.experts.tiles import Tiles

Tensor = torch.Tensor
WIDTH = 4
"""Points on each side through which a polynomial is laid."""


def jumps(u: Tensor, line: Line, tiles: Tiles, order: int = 0) -> Tensor:
    """Return the jumps of value (order 0) or slope (1) of fields (..., nt, nx), (..., nt, K - 1)."""
    edges = torch.tensor(tiles.edges, dtype=line.x.dtype)
    found = torch.zeros(len(line.x), len(edges), dtype=line.x.dtype)
    for k, edge in enumerate(edges):
        n = int((line.x < edge).sum())
        for side, sign in ((slice(n - WIDTH, n), -1), (slice(n, n + WIDTH), 1)):
            found[side, k] = sign * derivative(line.x[side], order, edge[None], WIDTH)[0]
    return u @ found
