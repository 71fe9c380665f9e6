"""Subdomains of a matrix, the same on any number of ranks: boxes of a grid, shares of the rows elsewhere."""

from __future__ import annotations

import numpy as np
from petsc4py import PETSc

from plexus.solvers.multigrid.context import positions


def named(mat: PETSc.Mat, count: int) -> np.ndarray:
    """Return the subdomain of each own row, (n,). Collective."""
    block, cells = mat.getBlockSize(), positions(mat)
    if cells is None:
        begin, end = (row // block for row in mat.getOwnershipRange())
        names = np.arange(begin, end) * count // max(mat.getSize()[0] // block, 1)
    else:
        high = np.max(mat.comm.tompi4py().allgather(cells.max(axis=0, initial=0)), axis=0) + 1
        names = boxes(cells, np.zeros_like(high), high, count)
    return np.repeat(names, block)


def boxes(cells: np.ndarray, low: np.ndarray, high: np.ndarray, count: int) -> np.ndarray:
    """Return the box of each cell, (n,); [low, high) is halved along its longest side again and again."""
    if count == 1:
        return np.zeros(len(cells), np.int64)
    axis, half = int(np.argmax(high - low)), count // 2
    cut, names = low.copy(), np.empty(len(cells), np.int64)
    cut[axis] += round((high - low)[axis] * half / count)
    above = cells[:, axis] >= cut[axis]
    end = np.where(np.arange(len(low)) == axis, cut, high)
    names[~above] = boxes(cells[~above], low, end, half)
    names[above] = half + boxes(cells[above], cut, high, count - half)
    return names


def dealt(mat: PETSc.Mat, names: np.ndarray, count: int) -> list[np.ndarray]:
    """Return the rows of each subdomain that is this rank's to solve, without empty ones. Collective."""
    comm, (begin, _) = mat.comm.tompi4py(), mat.getOwnershipRange()
    owner = names * comm.size // count
    sent = [(names[owner == r], begin + np.flatnonzero(owner == r)) for r in range(comm.size)]
    whose, rows = (np.concatenate(part) for part in zip(*comm.alltoall(sent), strict=True))
    return [np.sort(rows[whose == name]).astype(PETSc.IntType) for name in np.unique(whose)]


def enlarged(mat: PETSc.Mat, rows: list[np.ndarray], layers: int) -> list[np.ndarray]:
    """Return subdomains with layers of neighbouring nodes. Collective."""
    comm, block = mat.comm.tompi4py(), mat.getBlockSize()
    found = []
    # PETSc takes one at a time, on all ranks at once
    for number in range(max(comm.allgather(len(rows)))):
        own = rows[number] if number < len(rows) else np.empty(0, PETSc.IntType)
        index = PETSc.IS().createGeneral(own, comm=PETSc.COMM_SELF)
        mat.increaseOverlap(index, layers)
        nodes = np.unique(index.getIndices() // block)
        index.destroy()
        found.append((nodes[:, None] * block + np.arange(block)).ravel().astype(PETSc.IntType))
    return found[: len(rows)]
