"""Exchange of ghost rows between ranks for arrays whose owned rows come first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

_TAG = 4711
Pieces = list[tuple[int, int, int]]
"""(rank, first row, end row) of the buffer pieces that go to or come from each rank."""


class Halo:
    """Copies rows from their owners to the ranks that hold ghosts of them.

    Arrays are (n_owned + n_ghost, ...): owned rows first, then ghost rows in the order that was
    given here. Only ranks that share rows talk to each other.

    Parameters
    ----------
    comm : communicator; construction is collective.
    n_owned : number of owned rows on this rank.
    ghost_owner : (n_ghost,) rank that owns each ghost row.
    ghost_row : (n_ghost,) index of the row among the owner's owned rows.
    """

    def __init__(self, comm: Comm, n_owned: int, ghost_owner: np.ndarray, ghost_row: np.ndarray):
        self.comm, self.n_owned, self.n_local = comm, n_owned, n_owned + len(ghost_owner)
        # rows from one owner travel together; order leads back to the caller's order
        order = np.argsort(ghost_owner, kind="stable")
        # everyone tells everyone how many rows it wants; zero for most
        wanted = np.bincount(ghost_owner, minlength=comm.size).astype(np.int32)
        given = np.empty_like(wanted)
        comm.Alltoall(wanted, given)
        self._recv_rows = n_owned + order
        self._recv, self._send = _pieces(wanted), _pieces(given)
        self._send_rows = np.empty(given.sum(), dtype=np.int64)
        # the wanted row numbers themselves go to the owners, who keep them as their sending list
        rows = np.ascontiguousarray(ghost_row[order], dtype=np.int64)
        self._exchange(rows, self._recv, self._send_rows, self._send)

    @classmethod
    def from_global(cls, comm: Comm, n_owned: int, ghost_global: np.ndarray) -> Halo:
        """Return the halo of a numbering in which each rank owns one contiguous range. Collective."""
        starts = np.concatenate([[0], np.cumsum(comm.allgather(n_owned))])
        owner = np.searchsorted(starts, ghost_global, side="right") - 1
        return cls(comm, n_owned, owner.astype(np.int32), ghost_global - starts[owner])

    @classmethod
    def from_ids(
        cls, comm: Comm, owned_ids: np.ndarray, ghost_owner: np.ndarray, ghost_ids: np.ndarray
    ) -> Halo:
        """Return the halo of rows that are known by arbitrary unique ids. Collective."""
        halo = cls(comm, len(owned_ids), ghost_owner, ghost_ids)
        order = np.argsort(owned_ids, kind="stable")
        halo._send_rows = order[np.searchsorted(owned_ids, halo._send_rows, sorter=order)]
        return halo

    def forward(self, array: np.ndarray) -> None:
        """Fill the ghost rows of ``array`` (n_local, ...) in place from their owners. Collective."""
        ghosts, incoming = self.fetch(array.__getitem__)
        array[ghosts] = incoming

    def fetch(self, rows_of: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Exchange rows that are made only where they are needed. Collective.

        Parameters
        ----------
        rows_of
            Returns the rows with the given local numbers, (k,) -> (k, ...).

        Returns
        -------
        local numbers of the ghost rows (n_ghost,), and their owners' rows in the same order.
        """
        out = rows_of(self._send_rows)
        incoming = np.empty((len(self._recv_rows), *out.shape[1:]), out.dtype)
        self._exchange(out, self._send, incoming, self._recv)
        return self._recv_rows, incoming

    def reverse_add(self, array: np.ndarray) -> None:
        """Add the ghost rows of ``array`` to their owners' rows in place. Collective."""
        incoming = np.empty((len(self._send_rows), *array.shape[1:]), array.dtype)
        self._exchange(array[self._recv_rows], self._recv, incoming, self._send)
        np.add.at(array, self._send_rows, incoming)

    def _exchange(self, out: np.ndarray, to: Pieces, into: np.ndarray, source: Pieces) -> None:
        """Send the pieces of ``out`` to their ranks and receive those of ``into`` from theirs."""
        # receives first, so that no message has to wait in a buffer
        requests = [self.comm.Irecv(into[a:b], rank, _TAG) for rank, a, b in source]
        requests += [self.comm.Isend(out[a:b], rank, _TAG) for rank, a, b in to]
        for request in requests:
            request.Wait()


def _pieces(counts: np.ndarray) -> Pieces:
    """Return (rank, first row, end row) of each rank's piece; ranks without rows are left out."""
    ends = np.cumsum(counts).tolist()
    return [(r, end - n, end) for r, (n, end) in enumerate(zip(counts.tolist(), ends, strict=True)) if n]
