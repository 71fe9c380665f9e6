"""Values of a finite element field in compiled C; see `plexus_kernels.reference.interpolate`."""

from __future__ import annotations

from ctypes import c_int64

import numpy as np

from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats, Tables


def interpolate(T: Tables, cell_nodes: np.ndarray, u: Floats) -> Floats:
    """Return the value (C, Q, m) of the nodal field ``u`` (N, m)."""
    Q, n = T.phi.shape
    C = len(checked("cell_nodes", cell_nodes, np.int32, (None, n)))
    m = checked("u", u, np.float64, (None, None)).shape[1]
    value = np.empty((C, Q, m))
    library("interpolate", N=n, M=m).interpolate(
        c_int64(C), c_int64(Q), pointer(T.phi), pointer(cell_nodes), pointer(u), pointer(value)
    )
    return value
