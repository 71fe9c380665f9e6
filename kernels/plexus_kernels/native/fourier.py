"""Fourier transforms in compiled C, on contiguous memory in double precision.

    X_k = scale Σ_j x_j e^{∓2πi jk/n}

for n whose prime factors are 2, 3 and 5. Arguments are addresses, so that any library's arrays will do; the
caller answers for their sizes. Results depend neither on timings nor on other members of a batch, but for the
rounding where a member has an odd number of real rows, which are transformed in pairs.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_double, c_int, c_int64, c_void_p
from functools import cache
from typing import Any, Literal

import numpy as np

from plexus_kernels.native.loader import library

RADICES = (8, 4, 2, 3, 5)
Kind = Literal["complex", "real", "modes"]
KINDS = {"complex": 0, "real": 1, "modes": 2}
"""Rows of n complex numbers, of n real numbers to n//2+1 modes, of n//2+1 modes to n real numbers."""


class _Plan(ctypes.Structure):
    """What the C code calls a Plan; it keeps the arrays that it points to."""

    _fields_ = (("n", c_int64), ("passes", c_int64), ("radix", c_void_p), ("turn", c_void_p))
    arrays: tuple[np.ndarray, np.ndarray]


@cache
def radices(n: int) -> tuple[int, ...] | None:
    """Return the factors by which a transform of length ``n`` proceeds, None if it has others."""
    found = []
    for r in RADICES:
        while n % r == 0:
            found.append(r)
            n //= r
    return tuple(found) if n == 1 else None


@cache
def _plan(n: int) -> Any:
    """Return a reference to the plan for length ``n``; it lives as long as the process."""
    factors = radices(n)
    if factors is None:
        raise ValueError(f"{n} has prime factors other than 2, 3 and 5")
    turn_of_one = 2 * np.arctan2(np.longdouble(0), np.longdouble(-1))
    angle = np.arange(n, dtype=np.longdouble) * (turn_of_one / n)
    turn = np.ascontiguousarray(np.stack([np.cos(angle), -np.sin(angle)], 1).astype(np.float64))
    radix = np.array(factors, np.int64)
    plan = _Plan(n, len(factors), radix.ctypes.data, turn.ctypes.data)
    plan.arrays = radix, turn
    return byref(plan)


@cache
def _functions() -> Any:
    found = library("fourier")
    plan, tail = POINTER(_Plan), (c_int, c_double)
    found.rows.argtypes = (plan, c_int, c_void_p, c_void_p, c_int64, *tail)
    found.columns.argtypes = (plan, c_void_p, c_void_p, c_int64, c_int64, *tail)
    found.planes.argtypes = (plan, plan, c_int, c_void_p, c_void_p, c_int64, *tail)
    return found


def prepare() -> None:
    """Compile or load the functions.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    _functions()


def rows(kind: Kind, source: int, target: int, count: int, n: int, inverse: bool, scale: float) -> None:
    """Transform ``count`` rows of length ``n`` from one address to another."""
    _check(_functions().rows(_plan(n), KINDS[kind], source, target, count, inverse, scale))


def columns(source: int, target: int, outer: int, n: int, inner: int, inverse: bool, scale: float) -> None:
    """Transform the middle axis of (outer, n, inner) complex numbers; ``source`` may be ``target``."""
    _check(_functions().columns(_plan(n), source, target, outer, inner, inverse, scale))


def planes(
    kind: Kind, source: int, target: int, count: int, shape: tuple[int, int], inverse: bool, scale: float
) -> None:
    """Transform both axes of ``count`` planes of n0 rows of length n1."""
    plans = _plan(shape[0]), _plan(shape[1])
    _check(_functions().planes(*plans, KINDS[kind], source, target, count, inverse, scale))


def _check(code: int) -> None:
    if code:
        raise MemoryError("no memory for a transform")
