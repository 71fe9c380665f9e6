"""Piecewise linear curves in compiled C."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_double, c_int64, c_void_p
from functools import cache
from typing import Any

import numpy as np

from plexus_kernels.native.arrays import address
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats


class Curve:
    """y(x), piecewise linear between knots in rising order and constant beyond them.

    Parameters
    ----------
    xs, ys : sequence of float
        Knots and values, at least two.
    reach : tuple of float
        From where to where in x the curve speaks.
    """

    def __init__(self, xs: Sequence[float], ys: Sequence[float], reach: tuple[float, float]):
        self.reach = reach
        knots, values = np.array(xs, dtype=float), np.array(ys, dtype=float)
        # behind the last knot it is level
        self._pieces = knots, values, np.append(np.diff(values) / np.diff(knots), 0.0)

    def __call__(self, x: Floats) -> tuple[Floats, int]:
        """Return y at x, of any shape, and how many x lie beyond the reach."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        found, pieces = np.empty_like(x), [address(a) for a in self._pieces]
        missed = _function()(x.size, address(x), len(self._pieces[0]), *pieces, *self.reach, address(found))
        return found, missed


@cache
def _function() -> Any:
    found = library("curve").curve
    n, at, x = c_int64, c_void_p, c_double
    found.argtypes, found.restype = (n, at, n, at, at, at, x, x, at), n
    return found
