"""Sparse pattern of a nodal matrix: pair (r, c) exists where one cell holds both nodes."""

from __future__ import annotations

import numpy as np


def pattern(cell_nodes: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pattern of the rows below ``n_rows`` and the place of every element entry in it.

    Parameters
    ----------
    cell_nodes
        Nodes of each cell, (C, n) int32.
    n_rows
        Number of rows kept: nodes 0 … n_rows-1.

    Returns
    -------
    row_ptr
        First pair of each row, (n_rows + 1,) int64.
    cols
        Column of each pair, ascending in each row, int32.
    slots
        Pair of element entry (i, j), (C, n, n) int32; -1 where the row is not kept.
    """
    # every cell couples all its nodes: entries (c, i, j) with row = node i, column = node j
    rows = np.repeat(cell_nodes, cell_nodes.shape[1], axis=1).ravel().astype(np.int64)
    cols = np.tile(cell_nodes, cell_nodes.shape[1]).ravel().astype(np.int64)
    kept = rows < n_rows
    # row·width + column orders the pairs by row, then by column
    width = int(cell_nodes.max(initial=0)) + 1
    pairs, place = np.unique(rows[kept] * width + cols[kept], return_inverse=True)
    slots = np.full(rows.size, -1, dtype=np.int32)
    slots[kept] = place
    row_ptr = np.searchsorted(pairs, np.arange(n_rows + 1, dtype=np.int64) * width)
    shape = (*cell_nodes.shape, cell_nodes.shape[1])
    return row_ptr.astype(np.int64), (pairs % width).astype(np.int32), slots.reshape(shape)
