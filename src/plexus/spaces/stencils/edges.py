"""Values beyond a boundary from a polynomial through the cells before it.

Let E be the polynomial of degree k - 1 with the means of the nearest k cells, and Z the one of degree k whose
means there are zero and whose value on the boundary is one. With ξ the distance from the boundary in cells,
P = E + c Z fulfils a condition α P + β ∂P/∂n = γ on the boundary for

    c = (γ - α E(0) + β E'(0)/h) / (α - β Z'(0)/h),

∂/∂n = -∂/∂ξ/h being the outward derivative. The means of P beyond the boundary are the ghost values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Edge:
    """The numbers of E and Z for k cells and w ghosts, nearest first.

    Attributes
    ----------
    value, slope : (k,) weights of the means in E(0) and E'(0).
    ghosts : (w, k) weights of the means in those of E beyond the boundary.
    z_slope : Z'(0).
    z_ghosts : (w,) means of Z beyond the boundary.
    """

    value: tuple[float, ...]
    slope: tuple[float, ...]
    ghosts: tuple[tuple[float, ...], ...]
    z_slope: float
    z_ghosts: tuple[float, ...]


@lru_cache
def edge(k: int, w: int) -> Edge:
    """Return the polynomials through ``k`` cells with ``w`` ghosts.

    >>> edge(1, 2).z_ghosts, np.round(edge(2, 1).ghosts, 12).tolist()
    ((2.0, 4.0), [[2.0, -1.0]])
    """
    powers = np.arange(k + 1)

    def means(first: np.ndarray) -> np.ndarray:
        """Mean of ξ^p over [first, first + 1], (cells, k + 1)."""
        ends = (first[:, None] + np.arange(2))[..., None] ** (powers + 1)
        return (ends[:, 1] - ends[:, 0]) / (powers + 1)

    inside, beyond = means(np.arange(k) + 0.0), means(-1.0 - np.arange(w))
    # E: coefficients of degree below k from the means
    e = np.linalg.inv(inside[:, :k])
    # Z = 1 + z_1 ξ + … + z_k ξ^k
    z = np.concatenate([[1.0], np.linalg.solve(inside[:, 1:], -inside[:, 0])])
    slope = e[1] if k > 1 else np.zeros(k)
    return Edge(
        tuple(e[0].tolist()), tuple(slope.tolist()), tuple(map(tuple, (beyond[:, :k] @ e).tolist())),
        float(z[1]), tuple((beyond @ z).tolist()),
    )  # fmt: skip
