"""A hierarchy as tensors, through which gradients reach the factors of its couplings; for training alone.

A = Σ_e w_e (e_i - e_j)(e_i - e_j)ᵀ + diag(s) on each level, e over couplings i < j, some w < 0 where A is no
M-matrix. Aggregates, and which finer couplings become one coarse coupling, are those of the hierarchy without
learning and do not change. One rank, one unknown per node; `blocks` has those of several.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.solvers.multigrid.features import NONE, added, features, merged
from plexus.solvers.multigrid.hierarchy import Hierarchy
from plexus.solvers.multigrid.matrices import Matrix

if TYPE_CHECKING:
    from plexus.solvers.multigrid.nets import Net

Tensor = torch.Tensor


class Grid:
    """Couplings of one level, and where they go on the next one.

    Attributes
    ----------
    n, i, j : rows; ends of couplings, (e,).
    w, s : couplings and row sums of the matrix without learning, (e,), (n,).
    names, kept : aggregate of each row, and whether it has one, (n,); set by `join`.
    """

    def __init__(self, matrix: Matrix, places: np.ndarray | None = None):
        self.places = np.zeros((matrix.n, 1)) if places is None else places
        rows, n = matrix.rows, matrix.n
        at = np.repeat(np.arange(n), np.diff(rows.ptr))
        upper = rows.col > at
        i, j = at[upper], rows.col[upper].astype(np.int64)
        self.n, self.e = n, len(i)
        self.i, self.j = torch.from_numpy(i), torch.from_numpy(j)
        self.w, self.s = torch.from_numpy(-rows.val[upper]), torch.from_numpy(matrix.held.copy())
        ends = np.concatenate([i, j, np.arange(n)]), np.concatenate([j, i, np.arange(n)])
        order = np.lexsort((ends[1], ends[0]))
        number = np.concatenate([np.arange(self.e), np.arange(self.e), self.e + np.arange(n)])
        self._from, self._col = torch.from_numpy(number[order]), torch.from_numpy(ends[1][order])
        self._ptr = torch.from_numpy(np.concatenate([[0], np.cumsum(np.bincount(ends[0], minlength=n))]))

    def join(self, names: np.ndarray, coarse: Grid) -> None:
        """Note which couplings are inside of aggregates, and where the others go."""
        self.names = torch.from_numpy(names.astype(np.int64))
        self.kept, self.coarse = self.names >= 0, coarse
        a, b = self.names[self.i], self.names[self.j]
        self.inner, self.cross = (a == b) & (a >= 0), (a != b) & (a >= 0) & (b >= 0)
        low, high = torch.minimum(a, b)[self.cross], torch.maximum(a, b)[self.cross]
        key = coarse.i * coarse.n + coarse.j
        order, wanted = torch.argsort(key), low * coarse.n + high
        place = torch.searchsorted(key[order], wanted).clamp(max=coarse.e - 1)
        # nodes may be coupled by unknowns that are left out alone
        there = key[order][place] == wanted
        self.cross[self.cross.clone()] = there
        self.to = order[place][there]
        self.sizes = added(coarse.n, self.names[self.kept], self.kept[self.kept].double())

    def diagonal(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the diagonal, (n,)."""
        return s.index_add(0, self.i, w).index_add(0, self.j, w)

    def matrix(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the matrix in compressed rows, without graph."""
        values = torch.cat([-w, self.diagonal(w, s)]).detach()[self._from]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls its compressed rows a beta
            return torch.sparse_csr_tensor(self._ptr, self._col, values, (self.n, self.n))

    def dense(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the matrix, (n, n)."""
        full = torch.diag(self.diagonal(w, s))
        return full.index_put((self.i, self.j), -w).index_put((self.j, self.i), -w)

    def spread(self, w: Tensor, s: Tensor) -> float:
        """Return max_i Σ_j |a_ij| / a_ii."""
        d, size = self.diagonal(w, s), w.abs()
        return float(((d.abs().index_add(0, self.i, size).index_add(0, self.j, size)) / d).max())

    def product(self, w: Tensor, s: Tensor, x: Tensor, matrix: Tensor) -> Tensor:
        """Return A x, (n, b); ``matrix`` is that of `matrix`."""
        found: Tensor = Product.apply(w, s, x, self, matrix)
        return found

    def restrict(self, r: Tensor) -> Tensor:
        """Return Pᵀ r."""
        into = torch.zeros(self.coarse.n, r.shape[1], dtype=r.dtype)
        return into.index_add(0, self.names[self.kept], r[self.kept])

    def prolong(self, z: Tensor) -> Tensor:
        """Return P z."""
        return z[self.names.clamp(min=0)] * self.kept[:, None]

    def coarser(self, net: Net, w: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """Return couplings and row sums of the next matrix, with their factors (`learned`)."""
        v, r = merged(self, w, s)
        on = (v > 0) & (added(self.coarse.e, self.to, w[self.cross].clamp(min=0)) > 0)
        m = net.factors(features(self, w, (v, r))[on])
        nu = torch.cat([m, torch.ones(1, dtype=m.dtype)]).min()
        factor = torch.where(v > 0, 1.0, nu).masked_scatter(on, m)
        return factor * v, torch.where(r > 0, r, nu * r)

    def texture(self, w: Tensor, s: Tensor) -> Tensor:
        """Return the features of this level, (4,), as `network.texture` has them."""
        d = self.diagonal(w, s).clamp(min=NONE)
        on = w > 0
        i, j = self.i[on], self.j[on]
        rows = torch.zeros(self.n, dtype=torch.bool)
        rows[i] = rows[j] = True
        log = d.log()
        each, count = max(len(i), 1), max(int(rows.sum()), 1)
        coupling, contrast = w[on].log() - 0.5 * (log[i] + log[j]), (log[i] - log[j]).abs()
        each_row = torch.tensor(np.log(each / count), dtype=torch.float64)
        held = (s.clamp(min=0) / d)[rows].sum() / count
        return torch.stack([coupling.sum() / (3 * each), contrast.sum() / (3 * each), each_row, held])


class Product(torch.autograd.Function):
    """A x for a level's w and s: dL/dw_e = (g_i - g_j)·(x_i - x_j), dL/ds = g·x, dL/dx = A g."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, s: Tensor, x: Tensor, grid: Grid, matrix: Tensor) -> Tensor:
        """Return A x, x (n, b)."""
        ctx.grid, ctx.matrix = grid, matrix
        ctx.save_for_backward(x)
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients."""
        (x,), grid = ctx.saved_tensors, ctx.grid
        gw = gs = None
        if ctx.needs_input_grad[0]:
            gw = ((g[grid.i] - g[grid.j]) * (x[grid.i] - x[grid.j])).sum(1)
        if ctx.needs_input_grad[1]:
            gs = (g * x).sum(1)
        return gw, gs, ctx.matrix @ g.contiguous(), None, None


def grids(hierarchy: Hierarchy) -> list[Grid]:
    """Return the levels of a hierarchy on one rank."""
    found = [Grid(matrix, at) for matrix, at in zip(hierarchy.matrices, places(hierarchy), strict=True)]
    for level, fine, coarse in zip(hierarchy.levels, found, found[1:], strict=False):
        assert level.names is not None
        fine.join(level.names, coarse)
    return found


def places(hierarchy: Hierarchy) -> list[np.ndarray | None]:
    """Return the cells of the nodes of each level, where they are known."""
    return [hierarchy.places, *(aggregated.places for aggregated in hierarchy.found)]
