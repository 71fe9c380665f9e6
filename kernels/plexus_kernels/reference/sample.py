"""A finite element field at the quadrature points: u = Σ_i u_i φ_i."""

from __future__ import annotations

import numpy as np

from plexus_kernels.reference.geometry import geometry
from plexus_kernels.tables import Floats, Tables


def sample(
    points: Floats, cells: np.ndarray, T: Tables, cell_nodes: np.ndarray, u: Floats
) -> tuple[Floats, Floats]:
    """Return value (C, Q, m) and gradient (C, Q, m, d) of the nodal field ``u`` (N, m).

    ``cell_nodes`` (C, n) are the field's nodes of each cell; see `geometry` for the rest.
    """
    U = u[cell_nodes]
    _, _, G = geometry(points, cells, T)
    # u = Σ_i u_i φ_i
    value = np.einsum("qi,cia->cqa", T.phi, U)
    # ∂u/∂x_j = Σ_i u_i Σ_k ∂φ_i/∂ξ_k ∂ξ_k/∂x_j
    grad = np.einsum("qik,cqkj,cia->cqaj", T.dphi, G, U, optimize=True)
    return value, grad
