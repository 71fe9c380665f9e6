"""The moment that given ones predict, in compiled C.

The formulas are those of `plexus.models.suspension.toeplitz`, which has them in torch.

Arrays are given as addresses of contiguous memory; the caller answers for types and sizes.
"""

from __future__ import annotations

from ctypes import c_double, c_int64, c_void_p
from functools import cache
from typing import Any

from plexus_kernels.native.loader import library


@cache
def _function(order: int) -> Any:
    made = library("levinson", ORDER=order).levinson
    made.argtypes, made.restype = (c_int64, c_void_p, c_void_p * order, c_double, c_void_p), None
    return made


def levinson(n: int, c: int, moments: list[int], cap: float, out: int) -> None:
    """Write f_(K+1) for ``n`` cells from c (float64) and f_1..f_K (complex128); ``cap`` bounds |k_m|, m >= 2.

    Raises
    ------
    RuntimeError
        If the function cannot be compiled.
    """
    order = len(moments)
    _function(order)(n, c, (c_void_p * order)(*moments), cap, out)
