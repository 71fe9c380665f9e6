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
from plexus.reduction.gramschmidt import Orthonormal

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
Sample = Callable[[float], Array]
"""Time -> values at this rank's points, (k,)."""
Course = Callable[[Array], Array]
"""Times (T,) -> values at some points of this rank, (k, T)."""
MISFIT = 1e-6
"""Largest difference of sum and function at a watched point, relative to the largest value."""
WATCHED = 2
"""Points per shape at which the sum is compared with the function."""


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
        at: Callable[[Array], Course],
        times: Sequence[float],
    ):
        self.comm, self.name = comm, name
        self.shapes = self._orthonormal(sample, times)
        self.matrix, mine = self._choose()
        self._here = at(np.array([index for _, index in mine], dtype=np.int64))
        self._slots = np.array([slot for slot, _ in mine], dtype=np.int64)

    @property
    def rank(self) -> int:
        """Number of shapes."""
        return int(self.shapes.shape[1])

    def _orthonormal(self, sample: Sample, times: Sequence[float]) -> Array:
        """Return an orthonormal basis of the samples, (k, r)."""
        found = Orthonormal(self.comm)
        for t in times:
            rest = found.take(sample(t).ravel())
        self.sizes = np.sqrt((found.shares**2).sum(axis=1))
        return np.column_stack(found.shapes) if found.shapes else np.zeros((len(rest), 0))

    def _choose(self) -> tuple[Array, list[tuple[int, int]]]:
        """Return the shapes at the chosen points, (points, r), and number and index of those of this rank."""
        chosen: list[Array] = []
        mine: list[tuple[int, int]] = []
        taken = np.zeros(len(self.shapes), dtype=bool)
        # a force on one node has no further points at which it could be watched
        wanted = min(self.rank * (1 + WATCHED), self.comm.allreduce(len(self.shapes)))
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

    def local(self, times: Array) -> Array:
        """Return what this rank's points add to the values that `amplitudes` takes, (points, T)."""
        values = np.zeros((len(self.matrix), len(times)))
        if len(self._slots):
            values[self._slots] = self._here(times)
        return values

    def amplitudes(self, times: Array, values: Array) -> Array:
        """Return a(t), (r, T), from the sum of `local` over the ranks.

        Raises
        ------
        SolveError
            If the function has a shape at one of the times that no sample had.
        """
        r = self.rank
        a = np.linalg.solve(self.matrix[:r], values[:r])
        missed = np.abs(self.matrix @ a - values).max(axis=0, initial=0.0)
        lost = missed > MISFIT * np.abs(values).max(axis=0, initial=0.0)
        if lost.any():
            t = times[np.argmax(lost)]
            raise SolveError(f"{self.name}: its shape at t = {t:g} s is no sum of those at the sampled times")
        return np.asarray(a)
