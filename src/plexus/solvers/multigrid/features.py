"""The features of coarse couplings as tensors, as `conductances.c` has them; for training alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.solvers.multigrid.network import DAMPING, STEPS
from plexus_kernels.native.conductances import LARGEST

if TYPE_CHECKING:
    from plexus.solvers.multigrid.tensors import Grid

Tensor = torch.Tensor
LEAST, NONE = 1e-12, 1e-300


def merged(grid: Grid, w: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """Return couplings and row sums of Pᵀ A P."""
    coarse = grid.coarse
    return added(coarse.e, grid.to, w[grid.cross]), added(coarse.n, grid.names[grid.kept], s[grid.kept])


def features(grid: Grid, w: Tensor, coarse: tuple[Tensor, Tensor]) -> Tensor:
    """Return the features of the couplings of the next level, (e, 8), as `conductances.c` has them."""
    then = grid.coarse
    we = w.clamp(min=0)
    inside = we * grid.inner
    inner = added(grid.n, grid.i, inside).index_add(0, grid.j, inside)
    tie = torch.where(inner > 0, 1 / inner.clamp(min=NONE), 0.0)
    c = we[grid.cross]
    series = c / (1 + c * (tie[grid.i[grid.cross]] + tie[grid.j[grid.cross]]))
    series, total = added(then.e, grid.to, series), added(then.e, grid.to, c).clamp(min=NONE)
    tied = added(then.n, grid.names[grid.kept], 0.5 * inner[grid.kept])
    number = added(then.e, grid.to, (c > 0).to(c.dtype)).clamp(min=1)
    d, size, i, j = then.diagonal(*coarse).clamp(min=NONE).log(), grid.sizes.log(), then.i, then.j
    return torch.stack([
        total.log() - 0.5 * (d[i] + d[j]), (d[i] - d[j]).abs(), (series / total).clamp(min=LEAST).log(),
        number.log(), size[i] + size[j], (size[i] - size[j]).abs(),
        (total / (total + tied[i] + tied[j])).clamp(min=LEAST).log(), flows(grid, we, total).log(),
    ], 1) / 3  # fmt: skip


def flows(grid: Grid, w: Tensor, total: Tensor) -> Tensor:
    """Return twice what flows through the couplings of the next level over their sum, for w ≥ 0."""
    x, then, cross = potentials(grid, w), grid.coarse, grid.cross
    names, kept, ties = grid.names, grid.kept, w[cross]
    sums = [added(then.n, names[kept], column[kept]) for column in x.T]
    mean = torch.stack(sums, 1) / grid.sizes.clamp(min=1)[:, None]
    i, j = grid.i[cross], grid.j[cross]
    flow = added(then.e, grid.to, ties * ((x[i] - x[j]) * (mean[names[i]] - mean[names[j]])).sum(1))
    square = ((mean[then.i] - mean[then.j]) ** 2).sum(1)
    share = torch.where(square > 0, 2 * flow / (square * total).clamp(min=NONE), 1.0)
    return share.clamp(1 / LARGEST, LARGEST)


def potentials(grid: Grid, w: Tensor) -> Tensor:
    """Return what `factors.potentials` does, (n, d), for w ≥ 0."""
    x, none = torch.from_numpy(grid.places.astype(np.float64)), torch.zeros(grid.n, dtype=w.dtype)
    matrix, total = grid.matrix(w, none), grid.diagonal(w, none)[:, None]
    step = torch.where(total > 0, DAMPING / total.clamp(min=NONE), 0.0)
    for _ in range(STEPS):
        x = x - step * grid.product(w, none, x, matrix)
    return x


def added(n: int, at: Tensor, values: Tensor) -> Tensor:
    """Return sums of values of the same number, (n,)."""
    return torch.zeros(n, dtype=torch.float64).index_add(0, at, values)
