"""Functions of place and time as sums of few shapes: f(x, t) = Σ_k a_k(t) f_k(x).

The shapes are found from samples at some times; of a load with a few independent factors there are as many.
Their amplitudes at any time follow from the function at as many points, chosen after S. Chaturantabut, D. C.
Sorensen, SIAM J. Sci. Comput. 32 (2010) 2737, doi:10.1137/090766498. At further points the sum is compared
with the function, so that a shape that no sample had is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import SolveError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
Sample = Callable[[float], Array]
"""Time -> values at this rank's points, (k,)."""
ROUNDING = 1e-14
"""Share of the largest eigenvalue below which a shape is rounding."""
MISFIT = 1e-6
"""Largest difference of sum and function at a watched point, relative to the largest value."""
WATCHED = 2
"""Points per shape at which the sum is compared with the function."""


def factored(gram: Array) -> tuple[Array, Array]:
    """Return sizes σ (r,) and coefficients (k, r), with which columns of this Gram matrix make shapes."""
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    keep = values > ROUNDING * max(values[-1], 0.0)
    return np.sqrt(values[keep]), vectors[:, keep] / np.sqrt(values[keep])


class Separated:
    """A function of place and time that is a sum of few shapes. Construction is collective.

    Parameters
    ----------
    comm : Comm
        The ranks that share the points.
    name : str
        What messages call it.
    sample : callable
        The function at all points of this rank.
    at : callable
        Indices of points of this rank -> the function there, without looking at others.
    times : sequence of float
        When it is sampled [s].

    Attributes
    ----------
    shapes : array (k, r)
        The shapes at the points of this rank, orthonormal over all ranks.
    sizes : array (r,)
        Root of the sum of squares of their amplitudes at the sampled times.
    """

    def __init__(
        self,
        comm: Comm,
        name: str,
        sample: Sample,
        at: Callable[[Array], Sample],
        times: Sequence[float],
    ):
        self.comm, self.name = comm, name
        rows = np.column_stack([sample(t).ravel() for t in times])
        self.sizes, coefficients = factored(comm.allreduce(rows.T @ rows))
        self.shapes = rows @ coefficients
        self.matrix, mine = self._choose()
        self._here = at(np.array([index for _, index in mine], dtype=np.int64))
        self._slots = np.array([slot for slot, _ in mine], dtype=np.int64)

    @property
    def rank(self) -> int:
        """Number of shapes."""
        return int(self.shapes.shape[1])

    def _choose(self) -> tuple[Array, list[tuple[int, int]]]:
        """Return the shapes at the chosen points, (points, r), and number and index of those of this rank."""
        chosen: list[Array] = []
        mine: list[tuple[int, int]] = []
        taken = np.zeros(len(self.shapes), dtype=bool)
        wanted = self.rank * (1 + WATCHED)
        for slot in range(wanted):
            rest = np.abs(self._rest(np.array(chosen), slot)) if len(self.shapes) else np.empty(0)
            rest[taken] = -1.0
            best = int(np.argmax(rest)) if len(rest) else -1
            offers = self.comm.allgather(float(rest[best]) if best >= 0 else -1.0)
            owner = int(np.argmax(offers))
            row = self.comm.bcast(self.shapes[best] if self.comm.rank == owner else None, owner)
            if self.comm.rank == owner:
                taken[best] = True
                mine.append((slot, best))
            chosen.append(row)
        return np.array(chosen).reshape(wanted, self.rank), mine

    def _rest(self, chosen: Array, slot: int) -> Array:
        """Return what the points so far miss of the next shape; then of all shapes, one after the other."""
        if slot == 0:
            return self.shapes[:, 0].copy()
        if slot < self.rank:
            weights = np.linalg.solve(chosen[:slot, :slot], chosen[:slot, slot])
            found: Array = self.shapes[:, slot] - self.shapes[:, :slot] @ weights
            return found
        # points that watch are those at which one shape is largest
        return self.shapes[:, slot % self.rank].copy()

    def amplitudes(self, t: float) -> Array:
        """Return a(t), (r,). Collective.

        Raises
        ------
        SolveError
            On all ranks, if the function has a shape at this time that no sample had.
        """
        values = np.zeros(len(self.matrix))
        values[self._slots] = self._here(t)
        values = self.comm.allreduce(values)
        r = self.rank
        a = np.linalg.solve(self.matrix[:r], values[:r])
        missed = np.abs(self.matrix @ a - values).max(initial=0.0)
        if missed > MISFIT * np.abs(values).max(initial=0.0):
            raise SolveError(f"{self.name}: its shape at t = {t:g} s is no sum of those at the sampled times")
        return np.asarray(a)
