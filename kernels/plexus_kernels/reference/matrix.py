"""Element matrices of a tangent, added to the values of a sparse pattern.

A_ij^ab = ∫ (φ_i c00^ab φ_j + φ_i c01^abl ∂_lφ_j + ∂_kφ_i c10^akb φ_j + ∂_kφ_i c11^akbl ∂_lφ_j) weight dx
with test function i, component a, and trial function j, component b.
"""

from __future__ import annotations

import numpy as np

from plexus_kernels.reference.geometry import geometry
from plexus_kernels.tables import Floats, Tables


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
    """Add the element matrices to ``values`` in place and return it.

    Parameters
    ----------
    points, cells, T
        As in `geometry`.
    c00, c01, c10, c11
        Coefficients (C|1, Q|1, ...) with trailing axes (m, m), (m, m, d), (m, d, m), (m, d, m, d);
        None means zero.
    weight
        Factor on dx, (C|1, Q|1); None means one.
    slots
        Pair of each element entry, (C, n, n); negative entries are skipped.
    values
        Values of the pairs, (n_pairs, m, m).
    symmetric
        The caller states that A is symmetric; fast versions then compute one half.
    """
    _, jxw, G = geometry(points, cells, T)
    w = jxw if weight is None else jxw * weight
    # ∂φ_i/∂x_j = Σ_k ∂φ_i/∂ξ_k ∂ξ_k/∂x_j
    dphi = np.einsum("qik,cqkj->cqij", T.dphi, G)
    A = np.zeros((*slots.shape, *values.shape[1:]))
    # left factor: the test function i; right factor: the trial function j
    terms = (
        (c00, "cq,qi,cqab,qj->cijab", T.phi, T.phi),
        (c01, "cq,qi,cqabl,cqjl->cijab", T.phi, dphi),
        (c10, "cq,cqik,cqakb,qj->cijab", dphi, T.phi),
        (c11, "cq,cqik,cqakbl,cqjl->cijab", dphi, dphi),
    )
    for c, formula, left, right in terms:
        if c is not None:
            c = np.broadcast_to(c, (*w.shape, *c.shape[2:]))
            A += np.einsum(formula, w, left, c, right, optimize=True)
    # pairs of rows that another rank owns have no slot
    kept = slots >= 0
    np.add.at(values, slots[kept], A[kept])
    return values
