"""Sparse matrices of nodal spaces: pattern, values, symmetric elimination of fixed unknowns.

A pair (i, j) of nodes that share a cell, or that a term ties across facets, carries an m × m block. Each
rank lists every pair of its own rows once, so that filling the matrix needs no communication.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.spaces.coo import coo
from plexus.spaces.held import Held
from plexus.spaces.lagrange import Space
from plexus_kernels import backend


class CooMatrix:
    """Matrix of the couplings of a space with itself. Construction is collective.

    Attributes
    ----------
    mat : PETSc.Mat
        The distributed matrix, block size = components.
    slots : (C, n, n) int32
        Pair of each element entry; -1 where the row belongs to another rank.
    values : (n_pairs, m, m) float64
        What `store` puts into the matrix.
    watch : bool
        Compare the values with those of the last `store` and leave the matrix alone if nothing has changed,
        so that PETSc keeps its preconditioner. Costs a checksum per `store`.

    Parameters
    ----------
    space
        Row and column space.
    cell_nodes
        Local nodes (C, n) of all local cells that touch own nodes.
    fixed
        Unknowns that are prescribed, bool (n_local, m), ghosts included; None for none.
    held
        Combinations of a node's unknowns that are prescribed; None for none.
    links
        Rows and columns of further pairs, local nodes, arrays of one shape.

    Raises
    ------
    InputError
        If there are more unknowns than this PETSc can number.
    """

    def __init__(
        self,
        space: Space,
        cell_nodes: np.ndarray,
        fixed: np.ndarray | None = None,
        held: Held | None = None,
        links: Sequence[tuple[np.ndarray, np.ndarray]] = (),
    ):
        m = space.components
        if space.n_global * m > np.iinfo(PETSc.IntType).max:
            raise InputError(
                f"{space.n_global * m} unknowns need a PETSc with 64-bit indices; this one counts to "
                f"{np.iinfo(PETSc.IntType).max}"
            )
        row_ptr, cols, self.slots = backend().pattern(cell_nodes, space.n_owned)
        for more in links:
            row_ptr, cols, self.slots = _linked(row_ptr, cols, self.slots, *more)
        # pairs that no cell holds come from links only
        self._linked = np.full(len(cols), bool(links))
        if links:
            self._linked[self.slots[self.slots >= 0]] = False
        rows = np.repeat(np.arange(space.n_owned, dtype=np.int32), np.diff(row_ptr))
        self._row_ptr, self._cols = row_ptr, cols
        self.values = np.zeros((len(cols), m, m))
        self._zero, self._one = _eliminated(rows, cols, fixed)
        self._eliminate = None if held is None else held.elimination(rows, cols, space.n_local)
        self.mat = PETSc.Mat().create(space.comm)
        self.mat.setSizes(((space.n_owned * m, space.n_global * m),) * 2, bsize=m)
        self.mat.setType(PETSc.Mat.Type.AIJ)
        i = _spread(space.node_global, rows, m, 1)
        j = _spread(space.node_global, cols, m, 0)
        self._insert = coo(self.mat, i, j)
        self.watch = False
        self._digest: bytes | None = None

    def clear(self) -> None:
        """Set all values to zero."""
        self.values.fill(0.0)

    def store(self) -> PETSc.Mat:
        """Eliminate the fixed unknowns from `values` and put them into the matrix. Collective."""
        if self._eliminate is not None:
            self._eliminate(self.values)
        flat = self.values.reshape(-1)
        flat[self._zero] = 0.0
        flat[self._one] = 1.0
        if not self._unchanged(flat):
            self._insert(flat)
        return self.mat

    def eliminated(self) -> tuple[np.ndarray, np.ndarray]:
        """Return own row and local column of the pairs with a prescribed unknown, (k,) each."""
        size = self.values.shape[1] ** 2
        pairs = self._zero // size
        pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
        return np.searchsorted(self._row_ptr, pairs, side="right") - 1, self._cols[pairs]

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Own row and local column of every pair, (n_pairs,) each."""
        count = np.diff(self._row_ptr)
        return np.repeat(np.arange(len(count), dtype=np.int32), count), self._cols

    def places(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Return the place among the pairs of these pairs of local nodes; -1 where the row is not own."""
        kept = rows < len(self._row_ptr) - 1
        keys, width = _keys(self._row_ptr, self._cols, cols)
        found = np.searchsorted(keys, rows.astype(np.int64) * width + cols)
        return np.where(kept, found, -1)

    def ties(self, components: np.ndarray, faint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and larger columns of the pairs that entries of these components tie together.

        Across facets they do where an entry is larger than ``faint`` (n_local, 1) of one of its nodes.
        """
        rows, cols = self.pairs
        whole = len(components) == self.values.shape[1]
        block = self.values if whole else self.values[:, components][:, :, components]
        kept = (rows < cols) & (block != 0).any(axis=(1, 2))
        across = np.flatnonzero(kept & self._linked)
        least = np.minimum(faint[rows[across], 0], faint[cols[across], 0])
        kept[across] = np.abs(block[across]).max(axis=(1, 2)) > least
        return rows[kept], cols[kept]

    def firmness(self, inner: np.ndarray) -> float:
        """Return the largest entry across facets relative to what cells give its row, (n_owned, 1)."""
        rows = self.pairs[0][self._linked]
        linked = np.abs(self.values[self._linked]).max(axis=(1, 2))
        return float(np.max(linked / np.maximum(inner[rows, 0], np.finfo(float).tiny), initial=0.0))

    def diagonal(self, values: np.ndarray) -> np.ndarray:
        """Return the largest of ``values`` that ties each own node to itself, (n_owned, 1)."""
        rows, cols = self.pairs
        return np.abs(values[rows == cols]).max(axis=(1, 2))[:, None]

    def filled(self) -> np.ndarray:
        """Return which own unknowns have an entry in their row, (n_owned, m)."""
        # every node is tied to itself, so that no row of the pattern is empty
        return np.logical_or.reduceat((self.values != 0).any(axis=2), self._row_ptr[:-1], axis=0)

    def coupled(self) -> np.ndarray:
        """Return which components any entry of this rank couples, (m, m)."""
        return (self.values != 0).any(axis=0)

    def _unchanged(self, flat: np.ndarray) -> bool:
        """Return whether all ranks store what they stored before; False while nobody watches."""
        if not self.watch:
            return False
        before, self._digest = self._digest, hashlib.sha256(flat.data).digest()
        return bool(self.mat.comm.tompi4py().allreduce(before == self._digest, MPI.LAND))


def _keys(row_ptr: np.ndarray, cols: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, int]:
    """Return row·width + column of every pair, ascending, and the width, above these and other columns."""
    width = int(max(cols.max(initial=0), others.max(initial=0))) + 1
    rows = np.repeat(np.arange(len(row_ptr) - 1), np.diff(row_ptr))
    return rows * width + cols, width


def _linked(
    row_ptr: np.ndarray, cols: np.ndarray, slots: np.ndarray, rows: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a pattern and its slots with further pairs of own rows."""
    kept = rows < len(row_ptr) - 1
    keys, width = _keys(row_ptr, cols, others)
    new = np.setdiff1d(rows[kept].astype(np.int64) * width + others[kept], keys)
    # a pair moves behind the new ones that come before it
    moved = np.append(np.arange(len(keys)) + np.searchsorted(new, keys), -1).astype(slots.dtype)
    whole = np.sort(np.concatenate([keys, new]))
    pointer = np.searchsorted(whole, np.arange(len(row_ptr)) * width).astype(row_ptr.dtype)
    return pointer, (whole % width).astype(cols.dtype), moved[slots]


def _spread(node_global: np.ndarray, nodes: np.ndarray, m: int, axis: int) -> np.ndarray:
    """Global unknowns of all block entries (pair, a, b): node*m + a for axis 1, node*m + b for axis 0."""
    first = (node_global * m).astype(PETSc.IntType)[nodes]
    if m == 1:
        return first
    part = np.arange(m, dtype=PETSc.IntType).reshape((m, 1) if axis else (1, m))
    return np.broadcast_to(first[:, None, None] + part, (len(nodes), m, m)).reshape(-1)


def _eliminated(
    rows: np.ndarray, cols: np.ndarray, fixed: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return flat indices of the values in fixed rows or columns, and of the fixed diagonal entries."""
    if fixed is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    m = fixed.shape[1]
    some = fixed.any(axis=1)
    pairs = np.flatnonzero(some.take(rows) | some.take(cols))
    touched = fixed[rows[pairs]][:, :, None] | fixed[cols[pairs]][:, None, :]
    p, a, b = np.nonzero(touched)
    flat = (pairs[p] * m + a) * m + b
    diagonal = (rows[pairs[p]] == cols[pairs[p]]) & (a == b)
    return flat, flat[diagonal]
