"""A finite element field at the points in compiled C; see `plexus_kernels.reference.sample`."""

from __future__ import annotations

from ctypes import c_int32, c_int64

import numpy as np

from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats, Tables


def sample(
    points: Floats, cells: np.ndarray, T: Tables, cell_nodes: np.ndarray, u: Floats
) -> tuple[Floats, Floats]:
    """Return value (C, Q, m) and gradient (C, Q, m, d) of the nodal field ``u`` (N, m)."""
    Q, n, g, d = T.shape
    checked("points", points, np.float64, (None, d))
    C = len(checked("cells", cells, np.int32, (None, g)))
    checked("cell_nodes", cell_nodes, np.int32, (C, n))
    m = checked("u", u, np.float64, (None, None)).shape[1]
    value, grad = np.empty((C, Q, m)), np.empty((C, Q, m, d))
    library("sample", D=d, G=g, N=n, M=m).sample(
        c_int64(C), c_int64(Q), c_int32(T.affine), pointer(points), pointer(cells), pointer(T.geo_dphi),
        pointer(T.psi), pointer(cell_nodes), pointer(u), pointer(value), pointer(grad),
    )  # fmt: skip
    return value, grad
