"""Aggregates of sparse rows and the matrix between them, in compiled C."""

from __future__ import annotations

from ctypes import c_double, c_int64
from typing import Any, NamedTuple

import numpy as np

from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library


class Rows(NamedTuple):
    """Sparse rows: ptr (n+1,) int32, col (nnz,) int32, those from n on of others; val (nnz,) float64."""

    ptr: np.ndarray
    col: np.ndarray
    val: np.ndarray

    def arguments(self) -> tuple[Any, ...]:
        """Return what C takes.

        Raises
        ------
        TypeError, ValueError
            If an array has another type or length.
        """
        nnz = int(self.ptr[-1])
        return (
            c_int64(len(self.ptr) - 1),
            pointer(checked("ptr", self.ptr, np.int32, (None,))),
            pointer(checked("col", self.col, np.int32, (nnz,))),
            pointer(checked("val", self.val, np.float64, (nnz,))),
        )


def outline(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the diagonal entry of each row, Σ_j |a_ij|, and Σ_j a_ij without what is rounding, (n,) each."""
    # arrays of their own: a part of one would keep all of it
    diagonal, size, held = (np.empty(len(rows.ptr) - 1) for _ in range(3))
    library("aggregate", NB=1).outline(*rows.arguments(), *map(pointer, (diagonal, size, held)))
    return diagonal, size, held


def balance(rows: Rows, held: np.ndarray) -> None:
    """Set the diagonal such that rows have the sums ``held`` (n,)."""
    n = (len(rows.ptr) - 1,)
    library("aggregate", NB=1).balance(*rows.arguments(), pointer(checked("held", held, np.float64, n)))


def components(rows: Rows, diagonal: np.ndarray, theta: float, block: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the aggregate of each row, (n,) int32, and their number: strong components inside blocks.

    Parameters
    ----------
    rows : Rows
        The matrix.
    diagonal : (width,)
        Its diagonal, rows of other ranks included.
    theta : float
        Couplings up to theta sqrt(a_ii a_jj) are weak.
    block : (n,) int64
        Name of the block of each row.
    """
    n = len(block)
    names, work = np.empty(n, np.int32), np.empty(n, np.int32)
    function = library("aggregate", NB=1).components
    function.restype = c_int64
    count = function(
        *rows.arguments(), pointer(checked("diagonal", diagonal, np.float64, (None,))), c_double(theta),
        pointer(checked("block", block, np.int64, (n,))), pointer(names), pointer(work),
    )  # fmt: skip
    return names, count


def pairs(rows: Rows, share: float) -> tuple[np.ndarray, int]:
    """Return the aggregate of each row, (n,) int32, and their number: pairs of strongly coupled rows.

    ``share`` of its strongest coupling is what a row asks of its mate's.
    """
    n = len(rows.ptr) - 1
    names, work = np.empty(n, np.int32), np.empty(n, np.int32)
    function = library("aggregate", NB=1).pairs
    function.restype = c_int64
    return names, function(*rows.arguments(), c_double(share), pointer(names), pointer(work))


def product(
    rows: Rows, names: np.ndarray, target: np.ndarray, count: int, weights: np.ndarray | None
) -> Rows:
    """Return Pᵀ A P for P with the numbers ``weights`` of each row in the columns of its aggregate.

    Parameters
    ----------
    rows : Rows
        The matrix A.
    names : (n,) int32
        Aggregate of each row; -1 leaves it out.
    target : (width,) int32
        Aggregate of each column, those of other ranks behind ``count`` own ones; -1 leaves it out.
    weights : (width, k), optional
        Ones without it.
    count : int
        Aggregates of this rank.

    Raises
    ------
    MemoryError, OverflowError
        If there is no memory, or there are more than 2³¹-1 entries.
    """
    n, nnz = len(rows.ptr) - 1, int(rows.ptr[-1])
    k = 1 if weights is None else weights.shape[1]
    ptr = np.zeros(count * k + 1, np.int32)
    col, val = np.empty(nnz * k * k, np.int32), np.empty(nnz * k * k)
    function = library("aggregate", NB=k).galerkin_product
    function.restype = c_int64
    entries = function(
        *rows.arguments(), pointer(checked("names", names, np.int32, (n,))),
        pointer(checked("target", target, np.int32, (None,))),
        None if weights is None else pointer(checked("weights", weights, np.float64, (len(target), k))),
        c_int64(count), c_int64(int(target.max(initial=-1)) + 1), pointer(ptr), pointer(col), pointer(val),
    )  # fmt: skip
    if entries == -1:
        raise MemoryError("no memory for a coarse matrix")
    if entries == -2:
        raise OverflowError("a coarse matrix is too large for 32-bit numbers on one rank; use more ranks")
    return Rows(ptr, col[:entries].copy(), val[:entries].copy())
