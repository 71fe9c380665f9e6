"""Map from the reference element in compiled C; see `plexus_kernels.reference.geometry` for the meaning."""

from __future__ import annotations

from ctypes import c_int32, c_int64

import numpy as np

from plexus_kernels.native.arrays import checked, pointer
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats, Tables


def geometry(points: Floats, cells: np.ndarray, T: Tables) -> tuple[Floats, Floats, Floats]:
    """Return x (C, Q, d), jxw (C, Q) and grad_map (C, Q, d, d), a broadcast view on affine cells."""
    Q, _, g, d = T.shape
    checked("points", points, np.float64, (None, d))
    C = len(checked("cells", cells, np.int32, (None, g)))
    x, jxw = np.empty((C, Q, d)), np.empty((C, Q))
    # affine cells have one B each, repeated by a view below
    grad_map = np.empty((C, 1 if T.affine else Q, d, d))
    library("geometry", D=d, G=g).geometry(
        c_int64(C), c_int64(Q), c_int32(T.affine), pointer(points), pointer(cells),
        pointer(T.weights), pointer(T.geo_phi), pointer(T.geo_dphi), pointer(x), pointer(jxw),
        pointer(grad_map),
    )  # fmt: skip
    return x, jxw, np.broadcast_to(grad_map, (C, Q, d, d))
