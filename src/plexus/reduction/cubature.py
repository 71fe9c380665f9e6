"""Empirical cubature: few points with weights ≥ 0 that integrate what a basis makes of its snapshots.

Rows of Y are functions at the N quadrature points, b = Y w their integrals. After J. A. Hernández, M. A.
Caicedo, A. Ferrer, Comput. Methods Appl. Mech. Eng. 313 (2017) 687, doi:10.1016/j.cma.2016.10.022, the rows
are first compressed by a singular value decomposition (in the inner product of the weights) to G, here with
the singular values left in, so that what is small needs no digits. A row of ones is added, so that weights
sum to the volume. Then points are chosen one after the other: that whose column is most parallel to what is
missing,

    k = argmax g_kᵀ r/|g_k|,    x = argmin_{x ≥ 0} |G_s x - b|,    r = b - G_s x

with the updating algorithm of C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23,
for x. Each rank has the columns of its own points; the best of all ranks is found by one reduction and sent
to all, so that the chosen points do not depend on the ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import SolveError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
STALL = 5
"""Points in a row that may fail to lower the error before the search gives up."""


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
    search = _Search(comm, rows, factor, np.append(b, factor * volume), names)
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
    order = np.argsort(search.chosen)
    chosen, x = np.array(search.chosen, dtype=np.int64)[order], search.x[order]
    counts = np.array(search.counts, dtype=np.int64)
    return Cubature(chosen, x, search.error, np.array(search.errors), counts)


class _Search:
    """The points chosen so far, with columns and a QR factorisation of which every rank has a copy.

    G are rows (r, N here), and below them a row that is ``last`` everywhere.
    """

    def __init__(self, comm: Comm, rows: Array, last: float, b: Array, names: Array):
        self.comm, self.rows, self.last, self.b, self.names = comm, rows, last, b, names
        norms = np.sqrt(np.einsum("rk,rk->k", rows, rows) + last**2)
        self.norms = np.where(norms > 0, norms, np.inf)
        self.chosen: list[int] = []
        self.columns = np.empty((len(b), 0))
        self.x = np.empty(0)
        self.q, self.r = np.empty((0, len(b))), np.empty((0, 0))
        """Rows of Qᵀ, and R."""
        self.rest, self.errors, self.counts = b.copy(), list[float](), list[int]()
        self.best, self.idle = 1.0, 0
        self.free = np.ones(len(names), dtype=bool)

    @property
    def error(self) -> float:
        """|r|/|b|."""
        return float(np.linalg.norm(self.rest) / np.linalg.norm(self.b))

    @property
    def stalled(self) -> bool:
        """Whether the last points lowered nothing."""
        return self.idle >= STALL

    def advance(self) -> bool:
        """Add the best point of all ranks; return whether there was one. Collective."""
        along = self.rest[:-1] @ self.rows + self.rest[-1] * self.last
        merit = np.where(self.free, along / self.norms, -np.inf)
        mine = int(np.argmax(merit)) if len(merit) else -1
        bid = (float(merit[mine]), -int(self.names[mine])) if mine >= 0 else (-np.inf, 0)
        # of equal merits that of the smaller name, whatever the ranks
        offer, owner = max((value, -rank) for rank, value in enumerate(self.comm.allgather(bid)))
        if not offer[0] > 0:
            return False
        self._add(-offer[1], -owner, mine)
        self.errors.append(self.error)
        self.counts.append(len(self.chosen))
        self.idle = 0 if self.error < self.best * (1 - 1e-6) else self.idle + 1
        self.best = min(self.best, self.error)
        return True

    def begin(self, start: Mapping[int, float]) -> None:
        """Take points with weights > 0. Collective."""
        if not start:
            return
        self.chosen = sorted(start)
        self.x = np.array([start[name] for name in self.chosen])
        places = {int(name): k for k, name in enumerate(self.names)}
        columns = np.zeros((len(self.b), len(start)))
        for k, name in enumerate(self.chosen):
            if name in places:
                columns[:, k] = self._column(places[name])
                self.free[places[name]] = False
        self.columns = self.comm.allreduce(columns)
        self._factorise()
        self._settle()
        self.rest = self.b - self.columns @ self.x
        self.best = self.error

    def _column(self, k: int) -> Array:
        return np.append(self.rows[:, k], self.last)

    def _add(self, name: int, owner: int, mine: int) -> None:
        column: Array = self.comm.bcast(self._column(mine) if self.comm.rank == owner else None, owner)
        if self.comm.rank == owner:
            self.free[mine] = False
        self.chosen.append(name)
        self.columns = np.column_stack([self.columns, column])
        self.x = np.append(self.x, 0.0)
        self._append(column)
        self._settle()
        self.rest = self.b - self.columns @ self.x

    def _append(self, column: Array) -> None:
        """Add a column to the factorisation; two passes keep Q orthogonal to rounding."""
        if self.columns.shape[1] > len(self.b):
            return
        h = self.q @ column
        v = column - h @ self.q
        again = self.q @ v
        v, h = v - again @ self.q, h + again
        length = np.linalg.norm(v)
        n = self.r.shape[0]
        r = np.zeros((n + 1, n + 1))
        r[:n, :n], r[:n, n], r[n, n] = self.r, h, length
        self.q, self.r = np.vstack([self.q, v / max(length, 1e-300)]), r

    def _settle(self) -> None:
        """Solve the least squares problem with weights ≥ 0, beginning from those of before."""
        while True:
            wanted = self._solved()
            if (wanted > 0).all():
                self.x = wanted
                return
            # go towards the solution until the first weight vanishes, and leave out its point
            bad = wanted <= 0
            ratio = np.where(bad, self.x / np.where(bad, self.x - wanted, 1.0), np.inf)
            step = float(min(ratio.min(), 1.0))
            self.x = self.x + step * (wanted - self.x)
            self._drop(np.flatnonzero(~(bad & (ratio <= step)) & (self.x > 0)))

    def _solved(self) -> Array:
        diagonal = np.abs(np.diag(self.r))
        wide = self.columns.shape[1] > len(self.b)
        if wide or diagonal.min(initial=np.inf) <= 1e-13 * diagonal.max(initial=0.0):
            return np.linalg.lstsq(self.columns, self.b, rcond=None)[0]
        return np.linalg.solve(self.r, self.q @ self.b)

    def _drop(self, keep: Array) -> None:
        """Keep some of the points only."""
        count = len(self.chosen)
        gone = np.setdiff1d(np.arange(count), keep)
        self.free |= np.isin(self.names, [self.chosen[k] for k in gone])
        self.chosen = [self.chosen[k] for k in keep]
        self.columns, self.x = self.columns[:, keep], self.x[keep]
        if len(self.r) < count:
            self._factorise()
            return
        for k in gone[::-1]:
            self._remove(int(k))

    def _remove(self, k: int) -> None:
        """Take a column out of the factorisation: rotations of two rows make R triangular again."""
        r = np.delete(self.r, k, axis=1)
        for j in range(k, r.shape[1]):
            length = max(float(np.hypot(r[j, j], r[j + 1, j])), 1e-300)
            c, s = r[j, j] / length, r[j + 1, j] / length
            turn = np.array([[c, s], [-s, c]])
            r[j : j + 2, j:] = turn @ r[j : j + 2, j:]
            self.q[j : j + 2] = turn @ self.q[j : j + 2]
        self.q, self.r = self.q[:-1], r[:-1]

    def _factorise(self) -> None:
        q, self.r = np.linalg.qr(self.columns)
        self.q = np.ascontiguousarray(q.T)
