"""Lagrange reference elements of degree 1 and 2; nodes in VTK order.

A basis function is Σ_k c_kj m_k(X) over the monomials m_k of the element's polynomial space: all of
total degree ≤ p on simplices (P), of degree ≤ p per coordinate on quadrilaterals and hexahedra (Q).
The coefficients invert the matrix m_k(X_i) of the monomials at the nodes, so that φ_j(X_i) = δ_ij.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np

from plexus.mesh.cells import reference


class Element:
    """A Lagrange element on the reference cell of `plexus.mesh.cells`.

    Attributes
    ----------
    cell, degree, dim
        Cell type, polynomial degree (1 or 2), space dimension d.
    nodes : ndarray (n, d)
        Node coordinates on the reference cell.
    groups : tuple of tuple
        For each node the local vertices of the vertex, edge, face or cell that carries it.
    facet_nodes : ndarray (f, k)
        Local nodes of each facet, in the order of the facet's own element.

    Raises
    ------
    ValueError
        If the degree is not 1 or 2.
    """

    def __init__(self, cell: str, degree: int):
        if degree not in (1, 2):
            raise ValueError(f"Lagrange degree {degree} is not available, use 1 or 2")
        ref = reference(cell)
        self.cell, self.degree, self.dim = cell, degree, ref.dim
        self.nodes = ref.nodes(degree)
        self.groups = ref.node_groups[: len(self.nodes)]
        self.facet_nodes = ref.facet_nodes(degree)
        self._powers = _monomials(self.dim, degree, ref.simplex)
        self._coefficients = np.linalg.inv(_values(self._powers, self.nodes))

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.nodes)

    @property
    def affine(self) -> bool:
        """Whether a map with these basis functions has a constant Jacobian."""
        return self.degree == 1 and reference(self.cell).simplex

    def tabulate(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values (Q, n) and reference gradients (Q, n, d) of the basis at ``points`` (Q, d)."""
        phi = _values(self._powers, points) @ self._coefficients
        dphi = np.stack([g @ self._coefficients for g in _derivatives(self._powers, points)], axis=2)
        return phi, dphi


def _monomials(dim: int, degree: int, simplex: bool) -> np.ndarray:
    """Exponents of the monomials that span the element's space, (n, d)."""
    powers = product(range(degree + 1), repeat=dim)
    return np.array([p for p in powers if not simplex or sum(p) <= degree])


def _values(powers: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Monomials at points, (Q, n)."""
    return np.prod(points[:, None, :] ** powers[None], axis=2)


def _derivatives(powers: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """∂/∂X_i of the monomials at points, one (Q, n) array per direction."""
    out = []
    for i in range(powers.shape[1]):
        lower = powers.copy()
        lower[:, i] = np.maximum(powers[:, i] - 1, 0)
        out.append(powers[:, i] * _values(lower, points))
    return out


@lru_cache
def element(cell: str, degree: int) -> Element:
    """Return the shared Lagrange element of a cell type and degree."""
    return Element(cell, degree)
