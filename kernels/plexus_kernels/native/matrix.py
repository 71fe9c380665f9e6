"""Element matrices in compiled C; see `plexus_kernels.reference.matrix` for the meaning."""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_int64, c_void_p

import numpy as np

from plexus_kernels.native.arrays import Field, checked, field
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats, Tables


class _Matrix(ctypes.Structure):
    """The arguments of ``matrix.c``, in its order."""

    _fields_ = (
        ("cells", c_int64), ("points", c_int64),
        ("affine", c_int32), ("separable", c_int32),
        ("X", c_void_p), ("nodes", c_void_p), ("slots", c_void_p),
        ("w", c_void_p), ("dN", c_void_p), ("psi", c_void_p), ("R", c_void_p),
        ("c00", Field), ("c01", Field), ("c10", Field), ("c11", Field), ("weight", Field),
        ("pairs", c_int64), ("values", c_void_p), ("outside", c_int64),
    )  # fmt: skip


def matrix(
    points: Floats,
    cells: np.ndarray,
    T: Tables,
    c00: Floats | None,
    c01: Floats | None,
    c10: Floats | None,
    c11: Floats | None,
    weight: Floats | None,
    slots: np.ndarray,
    values: Floats,
    symmetric: bool = False,
) -> Floats:
    """Add the element matrices to ``values`` in place and return it; parameters as in the reference.

    Raises
    ------
    IndexError
        If a slot is not smaller than the number of pairs.
    """
    Q, n, g, d = T.shape
    C, m = len(cells), values.shape[-1]
    checked("points", points, np.float64, (None, d))
    checked("cells", cells, np.int32, (None, g))
    checked("slots", slots, np.int32, (C, n, n))
    checked("values", values, np.float64, (None, m, m))
    if C == 0:
        return values
    shapes = {"c00": (m, m), "c01": (m, m, d), "c10": (m, d, m), "c11": (m, d, m, d), "weight": ()}
    given = {"c00": c00, "c01": c01, "c10": c10, "c11": c11, "weight": weight}
    fields = {k: field(k, given[k], C, Q, shape) for k, shape in shapes.items()}
    if all(given[k] is None for k in ("c00", "c01", "c10", "c11")):
        return values
    # constant per cell: the sum over points is in the table R, whatever the rule
    separable = T.affine and all(f.point == 0 for f, _ in fields.values())
    arguments = _Matrix(
        C, Q, T.affine, separable,
        points.ctypes.data, cells.ctypes.data, slots.ctypes.data,
        T.weights.ctypes.data, T.geo_dphi.ctypes.data, T.psi.ctypes.data, T.products.ctypes.data,
        *(f for f, _ in fields.values()), len(values), values.ctypes.data, 0,
    )  # fmt: skip
    # LO: without c00, c01 and c10 only derivatives of the basis enter
    first = int(all(given[k] is None for k in ("c00", "c01", "c10")))
    library("matrix", D=d, G=g, N=n, M=m, LO=first, SYM=int(symmetric)).matrix(ctypes.byref(arguments))
    if arguments.outside:
        raise IndexError(f"slots: {arguments.outside} of them exceed the {len(values)} pairs of values")
    return values
