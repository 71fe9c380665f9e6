"""A spin network over cells in compiled C; the readable version, in torch, is the closure `spin_network`.

Arrays are given as addresses of contiguous memory; the caller answers for types and sizes. Fields are
float64, complex ones pairs of them; weights, scales, range and distances from it float32.
"""

from __future__ import annotations

from ctypes import c_int64, c_void_p
from functools import cache
from typing import Any

from plexus_kernels.native.loader import library

ACTIVATIONS = ("silu", "tanh")


@cache
def function(moment: int, scalars: int, vorticity: bool, width: int, depth: int, activation: str) -> Any:
    """Return the compiled function for a network of these sizes.

    It takes the number of cells, c, f_1, f_2, e, W, a list of scalars, a list of weights W_0, b_0, W_1, ...,
    the scales of strain, scalars and vorticity, middle and inverse half width of the range of evens and
    |odds| (None without a range), the (nodes, 4) cubic pieces of Bingham's Q and their number; it writes the
    next moment and how far features lie outside their range, and returns how many cells to guard.

    Raises
    ------
    RuntimeError
        If it cannot be compiled.
    """
    made = library(
        "spin", MOMENT=moment, SCALARS=scalars, VORTICITY=int(vorticity), WIDTH=width, DEPTH=depth,
        ACT=ACTIVATIONS.index(activation),
    ).spin  # fmt: skip
    made.argtypes, made.restype = (c_int64, *[c_void_p] * 11, c_int64, c_void_p, c_void_p), c_int64
    return made


def addresses(arrays: list[int]) -> Any:
    """Return a list of addresses as C takes it."""
    return (c_void_p * max(len(arrays), 1))(*arrays)
