"""A matrix on the cells of a grid as products of whole boxes, for many vectors at once and with gradients.

(A q)_x = Σ_o a_o(x) q_(x + o) over the offsets o between cells that are coupled; cells without a row hold
zero.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from plexus.protocols import Problem
    from plexus.solvers.multigrid.matrices import Matrix


class Stencil:
    """A matrix whose rows are cells of a box.

    Attributes
    ----------
    n, shape : number of rows; cells per axis of the box.
    inside : (nx, ny, nz)
        One where a cell has a row, else zero.
    """

    def __init__(self, matrix: Matrix, cells: np.ndarray):
        self.n, self.shape = matrix.n, tuple(int(n) for n in cells.max(axis=0) + 1)
        self._flat = torch.from_numpy(np.ravel_multi_index(tuple(cells.T), self.shape))
        rows = matrix.rows
        at = np.repeat(np.arange(matrix.n), np.diff(rows.ptr))
        offsets, which = np.unique(cells[rows.col] - cells[at], axis=0, return_inverse=True)
        self._weights: list[tuple[tuple[int, ...], Tensor]] = []
        for number, offset in enumerate(offsets):
            mine = which.ravel() == number
            values = np.zeros(matrix.n)
            values[at[mine]] = rows.val[mine]
            self._weights.append((tuple(map(int, offset)), self.spread(torch.from_numpy(values))))
        self.inside = self.spread(torch.ones(matrix.n))

    def on(self, like: Tensor) -> Stencil:
        """Return this with the numbers of the type and device of a tensor."""
        found = copy(self)
        found._weights = [(offset, w.to(like)) for offset, w in self._weights]
        found._flat, found.inside = self._flat.to(like.device), self.inside.to(like)
        return found

    def spread(self, values: Tensor) -> Tensor:
        """Return boxes (..., nx, ny, nz) of values of rows (..., n), zero in other cells."""
        box = values.new_zeros((*values.shape[:-1], int(np.prod(self.shape))))
        box[..., self._flat] = values
        return box.reshape(*values.shape[:-1], *self.shape)

    def rows(self, boxes: Tensor) -> Tensor:
        """Return the values of rows (..., n) in boxes (..., nx, ny, nz)."""
        return boxes.flatten(-3)[..., self._flat]

    def times(self, v: np.ndarray) -> np.ndarray:
        """Return A v for the values of rows v (n,)."""
        return self.rows(self.product(self.spread(torch.from_numpy(v)))).numpy()

    def product(self, q: Tensor) -> Tensor:
        """Return A q for boxes (samples, nx, ny, nz)."""
        found = torch.zeros_like(q)
        for offset, weight in self._weights:
            here, there = zip(*(_shifted(o, n) for o, n in zip(offset, self.shape, strict=True)), strict=True)
            found[(..., *here)] += weight[here] * q[(..., *there)]
        return found


def _shifted(offset: int, n: int) -> tuple[slice, slice]:
    """Return the cells of an axis that have a neighbour at an offset, and these neighbours."""
    return slice(max(-offset, 0), n - max(offset, 0)), slice(max(offset, 0), n + min(offset, 0))


def stencil_of(problem: Problem) -> Stencil:
    """Return the matrix of a problem, all of it on this process.

    Raises
    ------
    InputError
        If it is none on a grid in space.
    """
    from plexus.errors import InputError
    from plexus.solvers.multigrid.trials import system_of

    matrix, cells, *_ = system_of(problem)
    if cells is None or cells.shape[1] != 3:
        raise InputError("directions are learned on grids in space: this problem has none")
    return Stencil(matrix, cells)
