"""Small strain at the points of a solid in compiled C; see `plexus.formulation.straining`."""

from __future__ import annotations

from ctypes import byref, c_int32, c_int64

import numpy as np

from plexus_kernels.native.arrays import checked, field, pointer
from plexus_kernels.native.loader import library
from plexus_kernels.tables import Floats, Tables


def strain(
    points: Floats,
    cells: np.ndarray,
    T: Tables,
    cell_nodes: np.ndarray,
    u: Floats,
    change: Floats,
    factors: Floats | None,
) -> Floats:
    """Return sym ∇u + change I, (C, Q, 3, 3), of a nodal displacement.

    Parameters
    ----------
    points, cells, T, cell_nodes
        As in `plexus_kernels.reference.sample`, in space.
    u : array (N, 3)
        Displacement of the nodes.
    change : array (C|1, Q|1)
        What acts alike in all directions.
    factors : array (C, n, 3), optional
        With them the dilatation is its mean over the cell, Σ_i u_i·factors_i [1/m].
    """
    Q, n, g, d = T.shape
    checked("points", points, np.float64, (None, 3))
    C = len(checked("cells", cells, np.int32, (None, g)))
    checked("cell_nodes", cell_nodes, np.int32, (C, n))
    checked("u", u, np.float64, (None, 3))
    means = None if factors is None else pointer(checked("factors", factors, np.float64, (C, n, 3)))
    even, alive = field("change", change, C, Q, ())
    found = np.empty((C, Q, 3, 3))
    library("strain", D=d, G=g, N=n, M=3).strain(
        c_int64(C), c_int64(Q), c_int32(T.affine), pointer(points), pointer(cells), pointer(T.geo_dphi),
        pointer(T.psi), pointer(cell_nodes), pointer(u), byref(even), means, pointer(found),
    )  # fmt: skip
    del alive
    return found
