"""Routing of array rows between ranks, and look-ups in arrays that are spread in slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm, Datatype

T = TypeVar("T")


class Route:
    """A fixed way of rows from this rank to others: row i goes to rank ``target[i]``. Collective.

    Received rows are ordered by sending rank, then as they were sent.
    """

    def __init__(self, comm: Comm, target: np.ndarray):
        self.comm = comm
        self._order = np.argsort(target, kind="stable") if comm.size > 1 else np.arange(len(target))
        self._out = np.bincount(target, minlength=comm.size).astype(np.int32)
        self._in = np.empty_like(self._out)
        comm.Alltoall(self._out, self._in)

    def forward(self, rows: np.ndarray) -> np.ndarray:
        """Send row i of ``rows`` (n, ...) to its target; return the rows that arrive here. Collective."""
        if self.comm.size == 1:
            return rows
        return self._move(np.ascontiguousarray(rows[self._order]), self._out, self._in)

    def back(self, answers: np.ndarray) -> np.ndarray:
        """Return one answer per received row to its sender, in the sender's order. Collective."""
        if self.comm.size == 1:
            return answers
        # the same way backwards: what came in goes out
        sorted_answers = self._move(np.ascontiguousarray(answers), self._in, self._out)
        result = np.empty_like(sorted_answers)
        # sent row i was row order[i] of the caller
        result[self._order] = sorted_answers
        return result

    def sources(self) -> np.ndarray:
        """Return the sending rank of each received row, (n,) int32."""
        return np.repeat(np.arange(self.comm.size, dtype=np.int32), self._in)

    def _move(self, rows: np.ndarray, out: np.ndarray, into: np.ndarray) -> np.ndarray:
        received = np.empty((int(into.sum()), *rows.shape[1:]), rows.dtype)
        row = _row_type(rows)
        self.comm.Alltoallv([rows, (out, _starts(out)), row], [received, (into, _starts(into)), row])
        row.Free()
        return received


def _row_type(rows: np.ndarray) -> Datatype:
    """Return an MPI type of one row, so that counts stay below 2^31 for wide rows too."""
    from mpi4py import MPI

    width = rows.dtype.itemsize * int(np.prod(rows.shape[1:], dtype=np.int64))
    return MPI.BYTE.Create_contiguous(width).Commit()


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)


def slice_starts(n: int, size: int) -> np.ndarray:
    """Return the size + 1 bounds of the nearly equal slices of ``n`` numbered things."""
    return np.arange(size + 1, dtype=np.int64) * n // size


def home(ids: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the rank whose slice holds each id."""
    return np.searchsorted(starts, ids, side="right") - 1


def fetch(comm: Comm, starts: np.ndarray, ids: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    """Return rows ``ids`` of arrays of which each rank holds the slice given by ``starts``. Collective."""
    route = Route(comm, home(ids, starts))
    asked = route.forward(ids) - starts[comm.rank]
    return [route.back(a[asked]) for a in arrays]


def ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the concatenation of first[i] … first[i] + count[i] - 1."""
    ends = np.cumsum(count)
    # position − start of its range in the result + first of its range
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + count, count)


def agreed(comm: Comm, function: Callable[[], T]) -> T:
    """Return what ``function`` returns here, once it has succeeded on all ranks. Collective.

    Raises
    ------
    InputError
        On all ranks, if it was raised on one of them.
    """
    problem = None
    try:
        result = function()
    except InputError as error:
        problem = error
    # one rank's problem becomes everyone's, so that no rank waits for another
    problems = [p for p in comm.allgather(problem) if p is not None]
    if problems:
        raise problems[0]
    return result
