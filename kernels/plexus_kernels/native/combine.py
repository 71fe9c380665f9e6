"""Sums of complex arrays times a real one in compiled C, on contiguous memory in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_double, c_int64, c_void_p
from functools import cache
from typing import Any

from plexus_kernels.native.loader import library

Pointers, Factors = c_void_p * 4, c_double * 4


@cache
def prepare() -> Any:
    """Compile or load the function and return it.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    function = library("combine").combine4
    function.argtypes, function.restype = (c_int64, Pointers, Factors, c_void_p, c_void_p), None
    return function


def combine4(n: int, arrays: Sequence[int], factors: Sequence[float], table: int, out: int) -> None:
    """Write table Σ factor·array of four arrays of ``n`` complex numbers, all given by their addresses."""
    prepare()(n, Pointers(*arrays), Factors(*factors), table, out)
