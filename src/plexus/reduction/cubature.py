"""Empirical cubature: few points with weights ≥ 0 that integrate what a basis makes of its snapshots.

Rows of Y are functions at the N quadrature points, b = Y w their integrals. After J. A. Hernández, M. A.
Caicedo, A. Ferrer, Comput. Methods Appl. Mech. Eng. 313 (2017) 687, doi:10.1016/j.cma.2016.10.022, the rows
are first compressed by a singular value decomposition (in the inner product of the weights) to G, here with
the singular values left in, so that what is small needs no digits. A row of ones is added, so that weights
sum to the volume. Then points are chosen one after the other: that whose column is most parallel to what is
missing,

    k = argmax g_kᵀ r/|g_k|,    x = argmin_{x ≥ 0} |G_s x - b|,    r = b - G_s x

with the updating algorithm of C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23,
for x. A look at all points costs more than all the rest, so each takes a pool of the best ones, from which
points are added until none of it promises much any more: partial pricing of linear programming (W.
Orchard-Hays, Advanced Linear-Programming Computing Techniques, 1968). Each rank has the columns of its own
points and of the pool, which is that of all ranks, so that the chosen points do not depend on the ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import SolveError
from plexus.reduction.leastsquares import LeastSquares

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
STALL = 5
"""Points in a row that may fail to lower the error before the search gives up."""
POOL, SPENT = 1000, 0.3
"""Points that a look at all takes, and the share of the best one's merit below which all are looked at."""


@dataclass(frozen=True, eq=False)
class Cubature:
    """Points and weights.

    Attributes
    ----------
    names : array (s,) of int64
        Names of the points, equal on all ranks.
    weights : array (s,)
        Their weights, > 0.
    error : float
        |G_s x - b|/|b|.
    errors : array
        The same after each point that was added.
    counts : array of int
        How many points there were then; some leave again.
    """

    names: Array
    weights: Array
    error: float
    errors: Array = field(default_factory=lambda: np.empty(0))
    counts: Array = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def compressed(comm: Comm, rows: Iterable[tuple[slice, Array]], weights: Array, tolerance: float) -> Array:
    """Return few rows (r, N here) in the place of many functions. Collective.

    The functions are read twice, in pieces: points, and the values there (k, points).

    They are orthogonal in the inner product of the weights (N here,), as long as the singular values, and
    have the same sums of squares at every point but for what lies below ``tolerance`` of the largest of
    these.
    """
    gram: Array = comm.allreduce(sum(square(here * np.sqrt(weights[part])) for part, here in rows))
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    keep = values > tolerance**2 * max(values[-1], 0.0)
    axes, found = vectors[:, keep].T, np.empty((int(keep.sum()), len(weights)))
    for part, here in rows:
        found[:, part] = axes @ here
    return found


def square(rows: Array) -> Array:
    """Return A Aᵀ; BLAS sees that it is symmetric and takes half the operations."""
    found: Array = rows @ rows.T
    return found


def cubature(
    comm: Comm,
    rows: Array,
    weights: Array,
    names: Array,
    tolerance: float,
    start: Mapping[int, float] | None = None,
    stalls: bool = False,
) -> Cubature:
    """Return points that integrate all rows to a relative tolerance. Collective.

    Parameters
    ----------
    comm : Comm
        The ranks that share the points.
    rows : array (r, N here)
        Values of the functions at the points of this rank, e.g. of `compressed`.
    weights : array (N here,)
        Integration weights of the points, with what a section counts.
    names : array (N here,) of int64
        Names of the points that no partition changes.
    tolerance : float
        Largest |G_s x - b|/|b|.
    start : mapping, optional
        Names and weights > 0 of points to begin with.
    stalls : bool
        Whether a search that comes no further is taken for what it reached.

    Raises
    ------
    SolveError
        If the search stalls above the tolerance.
    """
    b: Array = comm.allreduce(rows @ weights)
    volume = float(comm.allreduce(float(weights.sum())))
    # the volume counts as much as all the rest
    factor = max(float(np.linalg.norm(b)), 1e-300) / volume
    search = _Search(_Everywhere(comm, rows, factor, names), np.append(b, factor * volume))
    search.begin(start or {})
    while search.error > tolerance:
        if not search.advance():
            break
        if search.stalled:
            break
    if search.error > tolerance and not stalls:
        raise SolveError(
            f"cubature: the search stalls at an error of {search.error:.3g}, {len(search.chosen)} points; "
            f"asked for was {tolerance:g}: choose a coarser tolerance, or allow it to stall"
        )
    found = search.names[search.chosen]
    order = np.argsort(found)
    chosen, x = found[order], search.x[order]
    counts = np.array(search.counts, dtype=np.int64)
    return Cubature(chosen, x, search.error, np.array(search.errors), counts)


class _Everywhere:
    """All points of all ranks; G are rows (r, N here), and below them a row that is ``last`` everywhere."""

    def __init__(self, comm: Comm, rows: Array, last: float, names: Array):
        self.comm, self.rows, self.last, self.names = comm, rows, last, names
        norms = np.sqrt(np.einsum("rk,rk->k", rows, rows) + last**2)
        self.norms = np.where(norms > 0, norms, np.inf)

    def best(self, rest: Array, but: Array) -> Array:
        """Return the names of the points most parallel to a rest, ascending, but for some. Collective."""
        merit = (rest[:-1] @ self.rows + rest[-1] * self.last) / self.norms
        merit[np.isin(self.names, but)] = -np.inf
        mine = np.argsort(-merit)[:POOL]
        mine = mine[merit[mine] > 0]
        bids = self.comm.allgather((merit[mine], self.names[mine]))
        merits, names = (np.concatenate(each) for each in zip(*bids, strict=True))
        # of equal merits the smaller name, whatever the ranks
        return np.sort(names[np.lexsort((names, -merits))[:POOL]])

    def columns(self, names: Array) -> Array:
        """Return the columns of some points of all ranks, (k, r + 1). Collective."""
        found = np.zeros((len(names), len(self.rows) + 1))
        _, here, wanted = np.intersect1d(self.names, names, return_indices=True)
        found[wanted, :-1], found[wanted, -1] = self.rows[:, here].T, self.last
        every: Array = self.comm.allreduce(found)
        return every


class _Search:
    """The points chosen so far, out of a pool of which every rank has a copy.

    Attributes
    ----------
    names, pool, norms : arrays (k,), (k, r + 1), (k,)
        Names, columns and their lengths of the points of the pool, those chosen among them.
    chosen : list of int
        Places of the chosen points in the pool.
    x : array (n,)
        Their weights.
    rest : array (r + 1,)
        What is missing.
    """

    def __init__(self, everywhere: _Everywhere, b: Array):
        self.everywhere, self.b = everywhere, b
        self.names = np.empty(0, dtype=np.int64)
        self.pool, self.norms = np.empty((0, len(b))), np.empty(0)
        self.top = 0.0
        self.chosen: list[int] = []
        self.x, self.fit = np.empty(0), LeastSquares(b)
        self.rest, self.errors, self.counts = b.copy(), list[float](), list[int]()
        self.best, self.idle = 1.0, 0

    @property
    def error(self) -> float:
        """|r|/|b|."""
        return float(np.linalg.norm(self.rest) / np.linalg.norm(self.b))

    @property
    def stalled(self) -> bool:
        """Whether the last points lowered nothing."""
        return self.idle >= STALL

    def begin(self, start: Mapping[int, float]) -> None:
        """Take points with weights > 0. Collective."""
        self._fill(np.array(sorted(start), dtype=np.int64))
        self.x = np.array([start[int(name)] for name in self.names])
        self.chosen = list(range(len(self.x)))
        for column in self.pool:
            self.fit.append(column)
        self._settle()
        self.best = self.error

    def advance(self) -> bool:
        """Add the best point of the pool; return whether there was one. Collective."""
        k, merit = self._most()
        if not merit > SPENT * self.top:
            self._look()
            k, merit = self._most()
            self.top = merit
        if not merit > 0:
            return False
        self.chosen.append(k)
        self.x = np.append(self.x, 0.0)
        self.fit.append(self.pool[k])
        self._settle()
        self.errors.append(self.error)
        self.counts.append(len(self.chosen))
        self.idle = 0 if self.error < self.best * (1 - 1e-6) else self.idle + 1
        self.best = min(self.best, self.error)
        return True

    def _most(self) -> tuple[int, float]:
        """Return the place in the pool of the point most parallel to the rest, and its merit."""
        merit = self.pool @ self.rest / self.norms
        merit[self.chosen] = -np.inf
        k = int(np.argmax(merit)) if len(merit) else -1
        return k, float(merit[k]) if len(merit) else -np.inf

    def _look(self) -> None:
        """Fill the pool with the chosen points and the best of the others. Collective."""
        chosen = self.names[self.chosen]
        self._fill(np.append(chosen, self.everywhere.best(self.rest, chosen)))
        self.chosen = list(range(len(chosen)))

    def _fill(self, names: Array) -> None:
        self.names, self.pool = names, self.everywhere.columns(names)
        self.norms = np.linalg.norm(self.pool, axis=1)

    def _settle(self) -> None:
        """Solve the least squares problem with weights ≥ 0, beginning from those of before."""
        while True:
            wanted = self.fit.solution()
            if (wanted > 0).all():
                break
            # go towards the solution until the first weight vanishes, and leave out its point
            bad = wanted <= 0
            ratio = np.where(bad, self.x / np.where(bad, self.x - wanted, 1.0), np.inf)
            step = float(min(ratio.min(), 1.0))
            self.x = self.x + step * (wanted - self.x)
            self._drop((bad & (ratio <= step)) | (self.x <= 0))
        self.x = wanted
        self.rest = self.b - self.x @ self.pool[self.chosen]

    def _drop(self, gone: Array) -> None:
        for k in np.flatnonzero(gone)[::-1]:
            del self.chosen[k]
            self.fit.remove(int(k))
        self.x = self.x[~gone]
