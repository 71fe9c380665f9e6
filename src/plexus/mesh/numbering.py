"""Global numbers for edges and faces that do not depend on how many ranks take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.exchange import Route, home, slice_starts
from plexus.mesh.facets import sort_rows

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


class Meeting:
    """Brings equal keys of all ranks together at the home of their first column. Collective.

    Parameters
    ----------
    keys
        (k, m) int64 rows, each ascending, first column in [0, n); repeated rows are fine.
    n
        Number of ids in use, which fixes the homes.
    """

    def __init__(self, comm: Comm, keys: np.ndarray, n: int):
        self.comm = comm
        # a pair below 3e9 fits into one integer that sorts in the same way
        pairs = keys.shape[1] == 2 and n < 3_000_000_000
        keys = keys[:, :1] * n + keys[:, 1:] if pairs else keys
        order, new = sort_rows(keys)
        # key -> its place among the unique ones, and one example of each unique key
        self._unique = np.empty(len(keys), dtype=np.int64)
        self._unique[order] = np.cumsum(new) - 1
        self._first = order[new]
        mine = keys[self._first]
        self._route = Route(comm, home(mine[:, 0] // n if pairs else mine[:, 0], slice_starts(n, comm.size)))
        received = self._route.forward(mine)
        # lexicographic order at each home, homes in the order of the first column: sorted as a whole
        self._order = np.lexsort(received.T[::-1])
        steps = (np.diff(received[self._order], axis=0) != 0).any(axis=1)
        self._new = np.concatenate([np.ones(min(len(received), 1), dtype=bool), steps])
        self.total = comm.allreduce(int(self._new.sum()))
        """Number of different keys over all ranks."""

    def numbers(self) -> np.ndarray:
        """Return for each key its place among all different keys in lexicographic order, (k,). Collective."""
        # numbers of this home start after those of all homes before it
        before = sum(self.comm.allgather(int(self._new.sum()))[: self.comm.rank])
        return self._answer(before + np.cumsum(self._new) - 1)

    def lowest(self, values: np.ndarray) -> np.ndarray:
        """Return for each key the lowest of the values (k,) that any rank gave for it. Collective."""
        # this rank may know several images itself
        mine = np.full(len(self._first), np.iinfo(np.int64).max)
        np.minimum.at(mine, self._unique, values)
        received = self._route.forward(mine)[self._order]
        starts = np.flatnonzero(self._new)
        low = np.minimum.reduceat(received, starts) if len(starts) else received
        return self._answer(np.repeat(low, np.diff(np.append(starts, len(received)))))

    def _answer(self, by_order: np.ndarray) -> np.ndarray:
        answer = np.empty(len(by_order), dtype=np.int64)
        answer[self._order] = by_order
        return self._route.back(answer)[self._unique]
