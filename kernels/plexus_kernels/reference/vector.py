"""Element vectors: r_i^a += ∫ (f0^a φ_i + Σ_k f1^ak ∂φ_i/∂x_k) weight dx."""

from __future__ import annotations

import numpy as np

from plexus_kernels.reference.geometry import geometry
from plexus_kernels.tables import Floats, Tables


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
    """Add the integrals of f0·v + f1:∇v over the cells to ``out`` (N, m) in place and return it.

    Shapes: f0 (C|1, Q|1, m), f1 (C|1, Q|1, m, d), weight (C|1, Q|1); None means zero (weight: one).
    """
    _, jxw, G = geometry(points, cells, T)
    w = jxw if weight is None else jxw * weight
    r = np.zeros((*cell_nodes.shape, out.shape[1]))
    # r_i = Σ_q w f0 φ_i …
    if f0 is not None:
        r += np.einsum("cq,qi,cqa->cia", w, T.phi, np.broadcast_to(f0, (*w.shape, *f0.shape[2:])))
    # … + Σ_q w f1_j Σ_k ∂φ_i/∂ξ_k ∂ξ_k/∂x_j
    if f1 is not None:
        f = np.broadcast_to(f1, (*w.shape, *f1.shape[2:]))
        r += np.einsum("cq,qik,cqkj,cqaj->cia", w, T.dphi, G, f, optimize=True)
    # a node takes the sum over its cells: repeated indices must accumulate
    np.add.at(out, cell_nodes, r)
    return out
