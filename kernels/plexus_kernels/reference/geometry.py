"""Map from the reference element: x(ξ) = Σ_a X_a N_a(ξ), J = ∂x/∂ξ."""

from __future__ import annotations

import numpy as np

from plexus_kernels.tables import Floats, Tables


def geometry(points: Floats, cells: np.ndarray, T: Tables) -> tuple[Floats, Floats, Floats]:
    """Return coordinates, integration weights and inverse Jacobians at the quadrature points.

    Parameters
    ----------
    points
        Mesh points, (P, d) [m].
    cells
        Geometry nodes of each cell, (C, g).
    T
        Tables of the reference element.

    Returns
    -------
    x
        Coordinates, (C, Q, d) [m].
    jxw
        w |det J|, (C, Q).
    grad_map
        J⁻¹ = ∂ξ/∂x, (C, Q, d, d) [reference direction, space direction], so that
        ∂φ/∂x_j = Σ_k ∂φ/∂ξ_k grad_map[k, j]. Do not write to it: it may be a broadcast view.
    """
    X = points[cells]
    # x_i(ξ_q) = Σ_a X_ai N_a(ξ_q)
    x = np.einsum("qa,cai->cqi", T.geo_phi, X)
    # J_ik = ∂x_i/∂ξ_k = Σ_a X_ai ∂N_a/∂ξ_k
    J = np.einsum("cai,qak->cqik", X, T.geo_dphi)
    # dx = |det J| dξ: the sign only tells the orientation of the cell
    return x, T.weights * np.abs(np.linalg.det(J)), np.linalg.inv(J)
