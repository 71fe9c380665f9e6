"""Distribution of cells over ranks: PT-Scotch on the dual graph, or recursive bisection of centres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

_BINS, _ROUNDS = 64, 6
_LEAN = np.array([0.0119, 0.0171, 0.0233])
Partitioner = Literal["auto", "ptscotch", "parmetis", "bisection"]


def partition(
    comm: Comm, neighbours: np.ndarray, centres: np.ndarray, n_cells: int, method: Partitioner
) -> np.ndarray:
    """Return the new owner of each of this rank's cells, (c,) int32. Collective.

    Parameters
    ----------
    comm
        Communicator; its size is the number of parts.
    neighbours
        Global cells behind the facets, (c, f), -1 outside.
    centres
        Cell centres (c, dim) [m]; used by ``bisection``.
    n_cells
        Number of cells over all ranks.
    method
        ``auto`` takes PT-Scotch, else ParMETIS, else bisection, whichever this PETSc has.
    """
    if comm.size == 1:
        return np.zeros(len(centres), dtype=np.int32)
    for name in ("ptscotch", "parmetis") if method == "auto" else (method,):
        if name != "bisection" and _petsc_has(name):
            return _by_graph(comm, neighbours, n_cells, name)
    return bisection(comm, centres)


def _petsc_has(name: str) -> bool:
    """Tell whether this PETSc was built with the given partitioner."""
    from petsc4py import PETSc

    return bool(PETSc.Sys.hasExternalPackage(name))


def _by_graph(comm: Comm, neighbours: np.ndarray, n_cells: int, name: str) -> np.ndarray:
    from petsc4py import PETSc

    # graph in compressed rows: one row per cell, one column per inner facet
    inside = neighbours >= 0
    rows = np.concatenate([[0], np.cumsum(inside.sum(axis=1))]).astype(PETSc.IntType)
    # outside facets get column n_cells, which sorts last and is cut off
    columns = np.sort(np.where(inside, neighbours, n_cells), axis=1)
    columns = columns[columns < n_cells].astype(PETSc.IntType)
    size = (len(neighbours), n_cells)
    graph = PETSc.Mat().createAIJ((size, size), csr=(rows, columns, np.ones(len(columns))), comm=comm)
    part, result = PETSc.MatPartitioning().create(comm), PETSc.IS()
    part.setAdjacency(graph)
    part.setType(name)
    part.apply(result)
    owner = result.getIndices().astype(np.int32)
    for thing in (result, part, graph):
        thing.destroy()
    return owner


def bisection(comm: Comm, centres: np.ndarray) -> np.ndarray:
    """Return owners by recursive coordinate bisection of the centres (c, dim). Collective.

    All groups of ranks are halved at once, each normal to its longest extent; the cut is found by counting
    centres in ever finer bins.
    """
    # each centre belongs to a group of ranks low … high − 1
    low = np.zeros(len(centres), dtype=np.int64)
    high = np.full(len(centres), comm.size)
    for _ in range((comm.size - 1).bit_length()):
        middle = (low + high + 1) // 2
        share = (middle - low) / (high - low)
        below = _halve(comm, centres, low, share)
        # a group of one rank is done
        below |= high - low == 1
        low, high = np.where(below, low, middle), np.where(below, middle, high)
    return low.astype(np.int32)


def _halve(comm: Comm, centres: np.ndarray, group: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Tell which centres lie in the lower ``share`` (per centre) of their group along its longest axis."""
    from mpi4py import MPI

    n, dim = comm.size, centres.shape[1]
    # maxima over all ranks of x and −x give the extent; an empty group gets none
    bounds = np.full((n, 2 * dim), -np.inf)
    np.maximum.at(bounds, group, np.hstack([centres, -centres]))
    fraction, total = np.zeros(n), np.bincount(group, minlength=n)
    fraction[group] = share
    for buffer, op in ((bounds, MPI.MAX), (fraction, MPI.MAX), (total, MPI.SUM)):
        comm.Allreduce(MPI.IN_PLACE, buffer, op=op)
    bounds[total == 0] = 0
    upper, lower = bounds[:, :dim], -bounds[:, dim:]
    # the direction leans a little off the longest axis, so that layers of equal coordinates can be cut
    direction = np.eye(dim)[np.argmax(upper - lower, axis=1)] + _LEAN[:dim]
    s = np.einsum("ci,ci->c", centres, direction[group])
    a = (lower * direction).sum(axis=1)
    # a group whose centres coincide keeps a width that can be divided by
    width = np.maximum(((upper - lower) * direction).sum(axis=1), 1e-200)
    for _ in range(_ROUNDS):
        # bin 0 lies below a, bins 1 … _BINS cover the interval, the last lies above
        place = (s - a[group]) * (_BINS / width[group])
        bins = np.clip(np.floor(place) + 1, 0, _BINS + 1).astype(np.int64)
        counts = np.bincount(group * (_BINS + 2) + bins, minlength=n * (_BINS + 2)).reshape(n, -1)
        comm.Allreduce(MPI.IN_PLACE, counts, op=MPI.SUM)
        # the last bin edge below which lies no more than the share
        fits = np.cumsum(counts, axis=1)[:, :_BINS] <= (fraction * total)[:, None]
        width = width / _BINS
        # continue inside the bin that contains the cut
        a = a + np.maximum(fits.sum(axis=1) - 1, 0) * width
    return s < a[group]
