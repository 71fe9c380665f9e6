"""Connected components of a graph over ranks: the rows that chains of edges tie together.

Every row points to the smallest row that it is tied to, and pointers are followed to their ends; edges
between different ends are drawn again until none is left. The components of all ranks are joined by the names
that owners and guests give to the same row. Source: Y. Shiloach, U. Vishkin, Journal of Algorithms 3 (1982)
57-67, doi:10.1016/0196-6774(82)90008-6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def components(rows: np.ndarray, cols: np.ndarray, n: int) -> np.ndarray:
    """Return for each of ``n`` rows the smallest row of its component, (n,) int64; edges are pairs (e,)."""
    low = np.arange(n)
    # NumPy would convert other integers each time that they pick entries
    rows, cols = rows.astype(np.intp, copy=False), cols.astype(np.intp, copy=False)
    while len(rows):
        # of each edge the larger end hangs on the smaller one; of several edges one counts, whichever it is
        low[np.maximum(rows, cols)] = np.minimum(rows, cols)
        while not np.array_equal(further := low[low], low):
            low = further
        apart = np.flatnonzero(low[rows] != low[cols])
        rows, cols = low[rows[apart]], low[cols[apart]]
    return low


def over_ranks(
    comm: Comm, low: np.ndarray, n_owned: int, wanted: np.ndarray, forward: Callable[[np.ndarray], None]
) -> tuple[np.ndarray, int]:
    """Return numbers of the components of all ranks, (n_local,) int64, and how many there are. Collective.

    ``low`` (n_local,) is the smallest row of each row's component on this rank, ghosts included. Rows that
    are not ``wanted`` (n_local,), equal for a ghost and its owner, get −1. ``forward`` fills the ghost rows
    of an array (n_local, 1) from their owners.
    """
    # ends are rows themselves, so that marks number them without sorting
    ends = np.zeros(len(low), dtype=bool)
    ends[low[wanted]] = True
    counts = comm.allgather(int(ends.sum()))
    name = np.full((len(low), 1), -1, dtype=np.int64)
    name[wanted, 0] = (np.cumsum(ends) - 1 + sum(counts[: comm.rank]))[low[wanted]]
    mine = name[:, 0].copy()
    forward(name)
    # a ghost has one name here and one at its owner: both components are one
    ghosts = np.flatnonzero(wanted[n_owned:]) + n_owned
    pairs = np.unique(np.stack([mine[ghosts], name[ghosts, 0]], axis=1), axis=0)
    every = np.concatenate(comm.allgather(pairs))
    joined = components(every[:, 0], every[:, 1], sum(counts))
    # a component that only ghosts form here is named by its owners
    last, number = np.unique(joined, return_inverse=True)
    result = np.full(len(low), -1, dtype=np.int64)
    result[wanted] = number[mine[wanted]]
    return result, len(last)
