"""Element matrices of coupled points in compiled C; see `plexus_kernels.reference.joint` for the meaning."""

from __future__ import annotations

from ctypes import c_int64

import numpy as np

from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats


def joint(b: Floats, weight: Floats, slots: np.ndarray, values: Floats) -> Floats:
    """Add the element matrices to ``values`` in place and return it; parameters as in the reference.

    Raises
    ------
    IndexError
        If a slot is not smaller than the number of pairs.
    """
    b, weight = np.ascontiguousarray(b), np.ascontiguousarray(weight)
    cells, n, m, k = checked("b", b, np.float64, (None, None, None, None)).shape
    checked("weight", weight, np.float64, (cells, k, k))
    checked("slots", slots, np.int32, (cells, n, n))
    checked("values", values, np.float64, (None, m, m))
    function = library("joint").joint
    function.restype = c_int64
    outside = function(
        *map(c_int64, (cells, n, m, k)), pointer(b), pointer(weight), pointer(slots), c_int64(len(values)),
        pointer(values),
    )  # fmt: skip
    if outside:
        raise IndexError(f"slots: {outside} of them exceed the {len(values)} pairs of values")
    return values
