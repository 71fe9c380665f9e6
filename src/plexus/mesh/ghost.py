"""Which ranks need a cell once owners are chosen: its owner, and the owners of its vertex-neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.exchange import Route, home, ranges

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def destinations(
    comm: Comm, topology: np.ndarray, owner: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs (row of a cell of this rank's slice, rank that needs it), ascending. Collective.

    Parameters
    ----------
    comm
        Communicator.
    topology
        Topological vertices of the slice's cells, (c, v) int64.
    owner
        New owner of each cell, (c,).
    starts
        Slice bounds of the vertex numbers; a vertex's owners meet at its home rank.
    """
    cells = np.arange(len(owner))
    if comm.size == 1:
        return cells, owner.astype(np.int64)
    # only vertices with several owners can make a cell a ghost; they are few
    vertex, rank = _shared(comm, topology, owner, starts)
    # for each corner of each cell, the piece of (vertex, rank) that belongs to its vertex
    first = np.searchsorted(vertex, topology.ravel(), side="left")
    count = np.searchsorted(vertex, topology.ravel(), side="right") - first
    rows = np.repeat(np.repeat(cells, topology.shape[1]), count)
    ranks = rank[ranges(first, count)]
    # one integer row·size + rank per pair sorts by row, then rank, and drops repetitions
    pairs = np.unique(np.concatenate([cells * comm.size + owner, rows * comm.size + ranks]))
    return pairs // comm.size, pairs % comm.size


def _shared(
    comm: Comm, topology: np.ndarray, owner: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (vertex, rank) for all ranks that own cells at those of our vertices with several owners."""
    # one integer vertex·size + owner per pair, each sent once
    pairs = np.unique((topology * comm.size + owner[:, None]).ravel())
    route = Route(comm, home(pairs // comm.size, starts))
    received = route.forward(pairs)
    known = np.unique(received)
    vertex = known // comm.size
    # a vertex that occurs twice in the unique pairs has two owners
    several = np.isin(vertex, vertex[1:][vertex[1:] == vertex[:-1]])
    known = known[several]
    # every rank that named a vertex with several owners learns all of them
    asking = np.unique(received // comm.size * comm.size + route.sources())
    first = np.searchsorted(known // comm.size, asking // comm.size, side="left")
    count = np.searchsorted(known // comm.size, asking // comm.size, side="right") - first
    answer = known[ranges(first, count)]
    told = np.sort(Route(comm, np.repeat(asking % comm.size, count)).forward(answer))
    return told // comm.size, told % comm.size
