"""Values of a finite element field at the quadrature points: u = Σ_i u_i φ_i."""

from __future__ import annotations

import numpy as np

from plexus_kernels.tables import Floats, Tables


def interpolate(T: Tables, cell_nodes: np.ndarray, u: Floats) -> Floats:
    """Return the value (C, Q, m) of the nodal field ``u`` (N, m); ``cell_nodes`` (C, n) are its nodes."""
    return np.einsum("qi,cia->cqa", T.phi, u[cell_nodes])
