"""A hierarchy of nodes with several unknowns as tensors, for training alone.

A' = w A on each level, w the product of the factors on the way down: they are all that has a gradient, since
features do not change when a matrix is multiplied by a number. One rank.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.solvers.multigrid.features import features, merged
from plexus.solvers.multigrid.tensors import Grid, grids, places
from plexus.solvers.multigrid.vectors import of_nodes

if TYPE_CHECKING:
    from plexus.solvers.multigrid.hierarchy import Hierarchy
    from plexus.solvers.multigrid.matrices import Matrix
    from plexus.solvers.multigrid.nets import Net

Tensor = torch.Tensor


class Symmetric(torch.autograd.Function):
    """A x for a fixed symmetric A: dL/dx = A g."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Tensor) -> Tensor:
        """Return A x, x (n, b)."""
        ctx.matrix = matrix
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient."""
        return ctx.matrix @ g.contiguous(), None


class Blocks:
    """One level, with the interface of `tensors.Grid`.

    Attributes
    ----------
    n : rows.
    w, s : factor of the matrix, 0-d; nothing.
    nodes : couplings of nodes, as large as the norms of their blocks.
    """

    def __init__(self, matrix: Matrix, block: int, places: np.ndarray | None):
        self.n, self.nodes = matrix.n, Grid(of_nodes(matrix, block), places)
        self.w, self.s = torch.tensor([1.0, 0.0], dtype=torch.float64)
        own = matrix.diagonal[: self.n].copy()
        self._diagonal, self._spread = torch.from_numpy(own), float(np.max(matrix.sizes / own))
        ptr, col, val = (torch.from_numpy(part.copy()) for part in matrix.rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls its compressed rows a beta
            self._matrix = torch.sparse_csr_tensor(ptr, col, val, (self.n, self.n))

    def join(self, names: np.ndarray, weights: np.ndarray, coarse: Blocks, over_correction: float) -> None:
        """Note P, and the features of the couplings of the next level."""
        self.coarse, self._over = coarse, over_correction
        k, nodes, then = weights.shape[1], self.nodes, coarse.nodes
        to = np.maximum(names, 0).astype(np.int64)[:, None] * k + np.arange(k)
        self._to, self._weights = torch.from_numpy(to), torch.from_numpy(weights)
        on = (then.w > 0) & (merged(nodes, nodes.w, nodes.s)[0] > 0)
        self._features = features(nodes, nodes.w, (then.w * over_correction, then.s * over_correction))[on]
        self._couplings = max(int((then.w > 0).sum()), 1)

    def diagonal(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the diagonal, (n,)."""
        return w * self._diagonal

    def matrix(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the matrix without its factor, in compressed rows."""
        return self._matrix

    def dense(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the matrix, (n, n)."""
        return w * self._matrix.to_dense()

    def spread(self, w: Tensor, s: Tensor) -> float:
        """Return max_i Σ_j |a_ij| / a_ii."""
        return self._spread

    def product(self, w: Tensor, s: Tensor, x: Tensor, matrix: Tensor) -> Tensor:
        """Return A x, (n, b)."""
        found: Tensor = Symmetric.apply(x, matrix)
        return w * found

    def restrict(self, r: Tensor) -> Tensor:
        """Return Pᵀ r."""
        into = torch.zeros(self.coarse.n, r.shape[1], dtype=r.dtype)
        for to, weight in zip(self._to.T, self._weights.T, strict=True):
            into = into.index_add(0, to, weight[:, None] * r)
        return into

    def prolong(self, z: Tensor) -> Tensor:
        """Return P z."""
        return (self._weights[:, :, None] * z[self._to]).sum(1)

    def coarser(self, net: Net, w: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """Return the factor of the next matrix before over-correction (`learned`)."""
        mean = net.factors(self._features).log().sum() / self._couplings
        return w * mean.exp() * self._over, s  # its numbers are over-corrected

    def texture(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the features of this level, (4,)."""
        return self.nodes.texture(self.nodes.w, self.nodes.s)


def levels(hierarchy: Hierarchy) -> list[Any]:
    """Return the levels of a hierarchy on one rank, for `unrolled`."""
    block, found = hierarchy.settings.block, list[Blocks]()
    if block == 1:
        return grids(hierarchy)
    for number, (matrix, at) in enumerate(zip(hierarchy.matrices, places(hierarchy), strict=True)):
        found.append(Blocks(matrix, block, at))
        weights = hierarchy.levels[number].weights
        block = block if weights is None else weights.shape[1]
    for level, aggregated, fine, coarse in zip(
        hierarchy.levels, hierarchy.found, found, found[1:], strict=False
    ):
        assert level.names is not None and level.weights is not None
        fine.nodes.join(aggregated.names, coarse.nodes)
        fine.join(level.names, level.weights, coarse, hierarchy.settings.over_correction)
    return found
