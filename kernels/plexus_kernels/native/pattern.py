"""Sparse pattern in compiled C; see `plexus_kernels.reference.pattern` for the meaning."""

from __future__ import annotations

from ctypes import c_int64

import numpy as np

from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library


def pattern(cell_nodes: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row_ptr (n_rows+1,) int64, cols int32 and slots (C, n, n) int32 as the reference does.

    Raises
    ------
    MemoryError, OverflowError
        If there is no memory, or there are more than 2³¹-1 pairs or entries of cell_nodes.
    """
    nodes = checked("cell_nodes", cell_nodes, np.int32, (None, None))
    n_cells, n = nodes.shape
    if nodes.min(initial=0) < 0:
        raise ValueError("cell_nodes: negative node number")
    row_ptr = np.zeros(n_rows + 1, np.int64)
    slots = np.empty((n_cells, n, n), np.int32)
    # at most one pair per element entry; untouched pages of this array cost nothing
    room = np.empty(int(np.count_nonzero(nodes < n_rows)) * n, np.int32)
    function = library("pattern").pattern
    function.restype = c_int64
    count = function(
        c_int64(n_cells), c_int64(n), pointer(nodes), c_int64(n_rows), c_int64(int(nodes.max(initial=0)) + 1),
        pointer(row_ptr), pointer(room), pointer(slots),
    )  # fmt: skip
    if count == -1:
        raise MemoryError("no memory for the sparse pattern")
    if count == -2:
        raise OverflowError("the sparse pattern is too large for 32-bit numbers on one rank; use more ranks")
    return row_ptr, room[:count].copy(), slots
