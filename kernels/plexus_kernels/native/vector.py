"""Element vectors in compiled C; see `plexus_kernels.reference.vector` for the meaning."""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_int64, c_void_p

import numpy as np

from plexus_kernels.native.arrays import Field, checked, field
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats, Tables


class _Vector(ctypes.Structure):
    """The arguments of ``vector.c``, in its order."""

    _fields_ = (
        ("cells", c_int64), ("points", c_int64), ("affine", c_int32),
        ("X", c_void_p), ("nodes", c_void_p), ("field_nodes", c_void_p),
        ("w", c_void_p), ("dN", c_void_p), ("psi", c_void_p),
        ("f0", Field), ("f1", Field), ("weight", Field), ("out", c_void_p),
    )  # fmt: skip


def vector(
    points: Floats,
    cells: np.ndarray,
    T: Tables,
    cell_nodes: np.ndarray,
    f0: Floats | None,
    f1: Floats | None,
    weight: Floats | None,
    out: Floats,
) -> Floats:
    """Add ∫ f0·v + f1:∇v to ``out`` (N, m) in place and return it; shapes as in the reference."""
    Q, n, g, d = T.shape
    checked("points", points, np.float64, (None, d))
    C = len(checked("cells", cells, np.int32, (None, g)))
    checked("cell_nodes", cell_nodes, np.int32, (C, n))
    m = checked("out", out, np.float64, (None, None)).shape[1]
    if C == 0:
        return out
    shapes = {"f0": (f0, (m,)), "f1": (f1, (m, d)), "weight": (weight, ())}
    fields = [field(k, given, C, Q, shape) for k, (given, shape) in shapes.items()]
    arguments = _Vector(
        C, Q, T.affine, points.ctypes.data, cells.ctypes.data, cell_nodes.ctypes.data,
        T.weights.ctypes.data, T.geo_dphi.ctypes.data, T.psi.ctypes.data,
        *(f for f, _ in fields), out.ctypes.data,
    )  # fmt: skip
    library("vector", D=d, G=g, N=n, M=m).vector(ctypes.byref(arguments))
    return out
