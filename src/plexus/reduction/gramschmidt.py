"""Samples that come one after the other as sums of few orthonormal shapes, after Gram and Schmidt.

    s_t = Σ_k R_kt q_k,    R = U Σ Vᵀ

q U are the principal shapes of all samples and Σ their singular values, though only shapes were kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.reduction.incremental import turn

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
ROUNDING = 1e-7
"""Share of the largest sample below which what others miss of a sample is rounding."""


class Orthonormal:
    """Shapes of samples of which each rank has its own rows.

    Parameters
    ----------
    comm : Comm
        The ranks that share the values.
    least : float
        Norm up to which a sample counts as zero.

    Attributes
    ----------
    shapes : list of array (k,)
        q at the points of this rank.
    first : list of int
        The sample that each shape came with, by number.
    """

    def __init__(self, comm: Comm, least: float = 0.0):
        self.comm, self.least, self.largest = comm, least, 0.0
        self.shapes, self.first, self._columns = list[Array](), list[int](), list[Array]()

    def take(self, rest: Array) -> Array:
        """Take a sample (k,), which no one else has; return what the shapes of before miss. Collective."""
        size, column = self._norm(rest), np.zeros(len(self.shapes))
        self.largest = max(self.largest, size)
        # twice is enough: what is left of the first pass is rounding of the second
        for _ in range(2 if self.shapes and size > self.least else 0):
            shares = self.comm.allreduce(np.array([q @ rest for q in self.shapes]))
            for share, q in zip(shares, self.shapes, strict=True):
                rest -= share * q
            column += shares
        left = self._norm(rest)
        if size > self.least and left > ROUNDING * self.largest:
            rest /= left
            self.shapes.append(rest)
            self.first.append(len(self._columns))
            column = np.append(column, left)
        self._columns.append(column)
        return rest

    def principal(self, tolerance: float) -> tuple[Array, Array]:
        """Turn the shapes, in place, to principal ones, and take no further sample.

        Returns
        -------
        array (k,)
            Their singular values, falling, as far as they are above ``tolerance`` of the first.
        array (r, k)
            What makes them of the samples that `first` names.
        """
        if not self.shapes:
            return np.zeros(0), np.zeros((0, 0))
        shares = self.shares
        axes, sizes, _ = np.linalg.svd(shares, full_matrices=False)
        kept = sizes > tolerance * sizes[0]
        turn(self.shapes, axes[:, kept])
        return sizes[kept], np.linalg.solve(shares[:, self.first], axes[:, kept])

    @property
    def shares(self) -> Array:
        """R, (r, samples); of the samples with which shapes came it is upper triangular."""
        found = np.zeros((len(self.shapes), len(self._columns)))
        for t, column in enumerate(self._columns):
            found[: len(column), t] = column
        return found

    def _norm(self, a: Array) -> float:
        return float(self.comm.allreduce(a @ a) ** 0.5)
