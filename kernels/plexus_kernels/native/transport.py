"""Rates of cell means from fluxes through faces, and their transpose, in compiled C.

    r_i = -(F_(i+1) - F_i)/h,   F = M[F^(P l, P u) - D P S],   f(u) = a u + b u²/2

l and u are a reconstruction's values on both sides of a face, S is the derivative across it, F^ the flux of a
Riemann solver; P leads from means over faces to their middles and M back, or both are one. The formulas in
Python are those of `plexus.spaces.stencils`; `tests/unit/volumes` compares. Arrays are given by their
addresses, in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import POINTER, Structure, byref, c_double, c_int64, c_void_p
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from plexus_kernels.native.loader import library

OPEN, HELD, LEAVING, GIVEN = range(4)
"""What holds at an end: nothing, value and slope, the inner value without slope, the flux."""


class End(Structure):
    """One end of an axis: what holds there, and where its values and their derivatives stand."""

    _fields_ = (
        ("kind", c_int64),
        *((name, c_void_p) for name in ("value", "slope", "to_value", "to_slope")),
    )


class Axis(Structure):
    """One axis: rows, layers, numbers of a layer, its extents (0 for P = M = 1), coefficients, ends."""

    _fields_ = (
        *((name, c_int64) for name in ("rows", "n", "s")),
        ("e", c_int64 * 2),
        *((name, c_double) for name in ("b", "epsilon", "h")),
        *((name, c_int64) for name in ("a_varies", "d_varies")),
        *((name, c_void_p) for name in ("a", "d")),
        ("end", End * 2),
    )


class Formulas(NamedTuple):
    """The compile-time choices of the kernel, as `transport.c` numbers them."""

    values: int
    limiter: int
    riemann: int


@cache
def prepare(formulas: Formulas) -> tuple[Any, Any, Any]:
    """Compile or load rates, transpose, and the room that they need, and return them.

    Raises
    ------
    RuntimeError
        If that does not work here.
    """
    made = library("transport", **{name.upper(): value for name, value in formulas._asdict().items()})
    for function, arrays in ((made.rates, 3), (made.transpose, 6)):
        function.argtypes, function.restype = (POINTER(Axis), *(c_void_p,) * arrays), None
    made.room.argtypes, made.room.restype = (POINTER(Axis),), c_int64
    return made.rates, made.transpose, made.room


def rates(formulas: Formulas, axis: Axis, u: int, out: int) -> None:
    """Add the rates from the faces across one axis to ``out``."""
    call, _, room = prepare(formulas)
    work = np.empty(room(byref(axis)))
    call(byref(axis), u, out, work.ctypes.data)


def transpose(formulas: Formulas, axis: Axis, u: int, g: int, to: Sequence[int | None]) -> None:
    """Add g times the derivatives of the rates to ``to``, of u, a and D; write those of the ends."""
    _, call, room = prepare(formulas)
    work = np.empty(room(byref(axis)))
    call(byref(axis), u, g, *to, work.ctypes.data)
