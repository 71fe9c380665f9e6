"""Derivatives on a line of points at unequal distances, as matrices.

Weights are those of the polynomial through the nearest points: B. Fornberg, Math. Comp. 51 (1988) 699-706,
doi:10.1090/S0025-5718-1988-0935077-0, here by the Vandermonde system in units of the stencil's width.
"""

from __future__ import annotations

import math

import torch

Tensor = torch.Tensor


def derivative(nodes: Tensor, order: int, at: Tensor | None = None, width: int = 5) -> Tensor:
    """Return the matrix (m, n) from values at nodes (n,) to the derivative of some order at places.

    Parameters
    ----------
    nodes
        Places in ascending order, double precision.
    order
        Order of the derivative; 0 interpolates.
    at
        Where it is wanted (m,); absent: at the nodes.
    width
        Points of a stencil; the error is of order ``width - order``, or one better in the middle.
    """
    at = nodes if at is None else at
    nearest = (at[:, None] - nodes).abs().argmin(1)
    columns = (nearest - width // 2).clamp(0, len(nodes) - width)[:, None] + torch.arange(width)
    away = nodes[columns] - at[:, None]
    unit = away.abs().amax(1, keepdim=True)
    powers = (away / unit)[:, None] ** torch.arange(width, dtype=nodes.dtype)[:, None]
    right = torch.zeros(len(at), width, dtype=nodes.dtype)
    right[:, order] = math.factorial(order)
    weights = torch.linalg.solve(powers, right) / unit**order
    return torch.zeros(len(at), len(nodes), dtype=nodes.dtype).scatter_(1, columns, weights)
