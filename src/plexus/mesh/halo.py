"""Exchange of ghost rows between ranks for arrays whose owned rows come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

_TAG = 4711


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
        order = np.argsort(ghost_owner, kind="stable")
        wanted = np.bincount(ghost_owner, minlength=comm.size).astype(np.int32)
        given = np.empty_like(wanted)
        comm.Alltoall(wanted, given)
        self._recv_rows = n_owned + order
        self._recv_ranks, self._recv_cuts = _cuts(wanted)
        self._send_ranks, self._send_cuts = _cuts(given)
        self._send_rows = np.empty(self._send_cuts[-1], dtype=np.int64)
        self._exchange(
            np.ascontiguousarray(ghost_row[order], dtype=np.int64),
            self._recv_ranks, self._recv_cuts,
            self._send_rows, self._send_ranks, self._send_cuts,
        )  # fmt: skip

    @classmethod
    def from_global(cls, comm: Comm, n_owned: int, ghost_global: np.ndarray) -> Halo:
        """Return the halo of a numbering in which each rank owns one contiguous range. Collective."""
        starts = np.concatenate([[0], np.cumsum(comm.allgather(n_owned))])
        owner = np.searchsorted(starts, ghost_global, side="right") - 1
        return cls(comm, n_owned, owner.astype(np.int32), ghost_global - starts[owner])

    @classmethod
    def from_ids(cls, comm: Comm, owned_ids: np.ndarray, ghost_owner: np.ndarray, ghost_ids: np.ndarray) -> Halo:
        """Return the halo of rows that are known by arbitrary unique ids. Collective."""
        halo = cls(comm, len(owned_ids), ghost_owner, ghost_ids)
        order = np.argsort(owned_ids, kind="stable")
        halo._send_rows = order[np.searchsorted(owned_ids, halo._send_rows, sorter=order)]
        return halo

    def forward(self, array: np.ndarray) -> None:
        """Fill the ghost rows of ``array`` (n_local, ...) in place from their owners. Collective."""
        incoming = np.empty((self._recv_cuts[-1], *array.shape[1:]), array.dtype)
        self._exchange(
            array[self._send_rows], self._send_ranks, self._send_cuts,
            incoming, self._recv_ranks, self._recv_cuts,
        )  # fmt: skip
        array[self._recv_rows] = incoming

    def reverse_add(self, array: np.ndarray) -> None:
        """Add the ghost rows of ``array`` to their owners' rows in place. Collective."""
        incoming = np.empty((self._send_cuts[-1], *array.shape[1:]), array.dtype)
        self._exchange(
            array[self._recv_rows], self._recv_ranks, self._recv_cuts,
            incoming, self._send_ranks, self._send_cuts,
        )  # fmt: skip
        np.add.at(array, self._send_rows, incoming)

    def _exchange(
        self, out: np.ndarray, to: list[int], out_cuts: np.ndarray, into: np.ndarray, source: list[int], in_cuts: np.ndarray
    ) -> None:
        """Send the pieces of ``out`` between its cuts to ranks ``to`` and receive ``into`` likewise."""
        requests = [
            self.comm.Irecv(into[a:b], rank, _TAG)
            for rank, a, b in zip(source, in_cuts, in_cuts[1:], strict=False)
        ]  # fmt: skip
        requests += [
            self.comm.Isend(out[a:b], rank, _TAG) for rank, a, b in zip(to, out_cuts, out_cuts[1:], strict=False)
        ]
        for request in requests:
            request.Wait()


def _cuts(counts: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return the ranks with a count above zero and the cumulative counts of just those."""
    ranks = np.flatnonzero(counts)
    return ranks.tolist(), np.concatenate([[0], np.cumsum(counts[ranks])])
