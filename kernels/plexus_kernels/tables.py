"""Reference-element tables that all kernels read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tables:
    """Basis functions of a field and of the geometry at the points of one quadrature rule.

    Index letters: ``Q`` points, ``n`` nodes of the field, ``g`` nodes of the geometry, ``d`` dimension.

    Parameters
    ----------
    weights
        Quadrature weights on the reference element, (Q,).
    phi, dphi
        Basis functions (Q, n) and their reference derivatives (Q, n, d).
    geo_phi, geo_dphi
        The same for the geometry, (Q, g) and (Q, g, d).
    affine
        True when the Jacobian is constant in each cell, so that one per cell is enough.

    Raises
    ------
    ValueError
        If the shapes do not fit together.
    """

    weights: Floats
    phi: Floats
    dphi: Floats
    geo_phi: Floats
    geo_dphi: Floats
    affine: bool = False

    def __post_init__(self) -> None:
        """Store all tables as C-contiguous float64 and compare their shapes."""
        for name in ("weights", "phi", "dphi", "geo_phi", "geo_dphi"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.float64))
        # φ and ∂N/∂ξ carry all four sizes
        q, n, g, d = self.shape
        shapes = {"weights": (q,), "phi": (q, n), "dphi": (q, n, d), "geo_phi": (q, g), "geo_dphi": (q, g, d)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"Tables.{name} has shape {getattr(self, name).shape}, expected {shape}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return (Q, n, g, d)."""
        return self.phi.shape[0], self.phi.shape[-1], self.geo_phi.shape[-1], self.geo_dphi.shape[-1]

    @cached_property
    def psi(self) -> Floats:
        """Return ψ_i^α = (φ_i, ∂φ_i/∂ξ_1, …, ∂φ_i/∂ξ_d), shape (Q, n, 1+d)."""
        return np.ascontiguousarray(np.concatenate([self.phi[..., None], self.dphi], axis=2))

    @cached_property
    def products(self) -> Floats:
        """Return the reference tensor R_ij^αβ = Σ_q w_q ψ_i^α ψ_j^β, shape (n, n, 1+d, 1+d)."""
        return np.ascontiguousarray(np.einsum("q,qis,qjt->ijst", self.weights, self.psi, self.psi))
