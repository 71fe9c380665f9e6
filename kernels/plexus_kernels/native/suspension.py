"""Pointwise parts of an active suspension in C.

The formulas are those of `plexus.models.suspension.pointwise`, which has them in torch.

Arguments that are arrays are given as addresses of contiguous memory, so that any library's arrays will do;
the caller answers for types and sizes. Complex numbers are pairs of float64, everything else float64.
"""

from __future__ import annotations

from ctypes import c_double, c_int, c_int64, c_void_p
from functools import cache
from typing import Any

from plexus_kernels.native.loader import library

NONE, MOMENT, TURNED = 0, 1, 2
"""A second moment that is zero, given as it is, or already multiplied by conj(g)."""


@cache
def functions() -> Any:
    """Return the compiled functions ``stress``, ``stream``, ``flow``, ``fluxes`` and ``divergence``.

    Raises
    ------
    RuntimeError
        If they cannot be compiled or loaded here.
    """
    found = library("suspension")
    p, n, x = c_void_p, c_int64, c_double
    for name, kinds in {
        "stress": (c_int, n, p, p, p, p, x, x, x, x, x, p),
        "stream": (n, p, p, p, p, p),
        "flow": (c_int, n, n, p, p, p, p),
        "fluxes": (c_int, n, n, p, p, p, p, p, p, x, p, p),
        "divergence": (n, n, n, p, p, p, p, p, p, p, p),
    }.items():
        function = getattr(found, name)
        function.argtypes, function.restype = kinds, None
    return found
