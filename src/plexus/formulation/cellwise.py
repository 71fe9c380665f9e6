"""Projection on the polynomials of one cell: what an element of some degree can follow, and no more.

    (Π f)(x) = Σ_k ψ_k(x) ∫ ψ_k f dm,    ∫ ψ_k ψ_l dm = δ_kl over each cell

ψ are the polynomials up to a degree in the coordinates x, made orthonormal in each cell with the measure dm
of the equation (dx, 2πr dx). Π is its own adjoint: ∫ g Πf dm = ∫ f Πg dm, which keeps tangents symmetric. In
x, not in reference coordinates, the polynomials keep their order on distorted cells: D. N. Arnold, D. Boffi,
R. S. Falk, Math. Comput. 71 (2002) 909, doi:10.1090/S0025-5718-02-01439-4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plexus.fields.arrays import einsum, namespace, stack
from plexus.protocols import Array, Point


@dataclass(frozen=True)
class Cellwise:
    """Projection on polynomials of each cell; ``measure`` is the factor on dx, as an equation gives it."""

    measure: Callable[[Array], Array | None]

    def projected(self, p: Point, degree: Callable[[Point], int], f: Callable[[Point], Array]) -> Array:
        """Return Πf at the points, (C|1, Q|1), of a scalar f (C|1, Q|1); ``degree`` may depend on elements.

        A point that stands alone, as that of an exact solution, has no cell: there Πf is f.
        """
        inside = p.inside
        if inside is None:
            return f(p)
        if degree(p) == 0:
            return self._mean(inside, f(inside))
        weight, psi = self.weights(inside), self.modes(inside, degree(p))
        share = einsum("cqk,cq->ck", psi, weight * f(inside))
        return einsum("cqk,ck->cq", psi if inside is p else self.modes(p, degree(p)), share)

    def _mean(self, inside: Point, value: Array) -> Array:
        """Return the means over the cells, (C|1, 1), of values (C|1, Q|1)."""
        if value.shape[1] == 1:
            return value
        weight = self.weights(inside)
        # sums over a short last axis take NumPy four times as long
        return (einsum("cq,cq->c", weight, value) / einsum("cq->c", weight))[:, None]

    def modes(self, p: Point, degree: int) -> Array:
        """Return ψ at the points, (C, Q, k): one for degree 0, 1 + d for degree 1."""
        inside = p.inside
        assert inside is not None, "points that stand alone have no polynomials of a cell"
        weight = self.weights(inside)
        if degree == 0:
            return (weight.sum(1) ** -0.5)[:, None, None] + 0.0 * p.x[..., :1]
        # coordinates of the cell's own centre and size keep the matrix of the moments well conditioned
        centre = inside.x.mean(1)[:, None]
        size = ((inside.x - centre) ** 2).sum(-1).mean(1)[:, None, None] ** 0.5
        here, there = (_affine((q.x - centre) / size) for q in (p, inside))
        xp = namespace(there)
        lower = xp.linalg.cholesky(einsum("cqk,cq,cql->ckl", there, weight, there))
        # M = L Lᵀ: ψ = L⁻¹ (1, x, …) is orthonormal
        return einsum("ckl,cql->cqk", xp.linalg.inv(lower), here)

    def weights(self, p: Point) -> Array:
        """Return the integration weights with the measure, (C, Q)."""
        factor = self.measure(p.x)
        return p.jxw if factor is None else p.jxw * factor


def _affine(x: Array) -> Array:
    """Return (1, x_1, …, x_d), (C, Q, 1 + d)."""
    return stack([1.0 + 0.0 * x[..., 0], *(x[..., i] for i in range(x.shape[-1]))])
