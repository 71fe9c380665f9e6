"""Isotropic energies W(I₁, I₂, J) of C = FᵀF: stress P = ∂W/∂F and tangent ∂P/∂F from few derivatives.

    I₁ = tr C = F:F,    I₂ = (I₁² - tr C²)/2,    J = det F
    ∂I₁/∂F = 2F,    ∂I₂/∂F = 2 (I₁ F - F C),    ∂J/∂F = cof F

cof F and its derivative come from products of entries, ½ ε ε F F, so that no F is inverted. A body cannot
be turned inside out: where J ≤ 0 there is no energy, and what is answered is not a number. Source: J.
Bonet, R. D. Wood, Nonlinear Continuum Mechanics for Finite Element Analysis, 2nd ed., Cambridge 2008,
chapters 5 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from plexus.fields.arrays import einsum, eye, like, where
from plexus.formulation.material import Material
from plexus.protocols import Array, Point

EPSILON = np.zeros((3, 3, 3))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    EPSILON[_i, _j, _k], EPSILON[_i, _k, _j] = 1.0, -1.0


@dataclass(frozen=True, eq=False)
class Invariants:
    """I₁, I₂, J at points (...), with F and cof F (..., 3, 3)."""

    first: Array
    second: Array
    volume: Array
    f: Array
    cof: Array


Slopes = tuple[Array, Array, Array]
"""∂W by I₁, I₂, J [Pa]."""
Bends = dict[tuple[int, int], Array]
"""Second derivatives of W that are not zero, by numbers 0, 1, 2 of the invariants in order [Pa]."""


def invariants(f: Array) -> Invariants:
    """Return the invariants; J and what is made of it is not a number where a point is turned inside out."""
    eps = like(EPSILON, f)
    pairs = einsum("...mK,...nL->...mKnL", f, f)
    cof = 0.5 * einsum("imn,JKL,...mKnL->...iJ", eps, eps, pairs)
    volume = einsum("...J,...J->...", f[..., 0, :], cof[..., 0, :])
    volume = where(volume > 0.0, volume, float("nan"))
    first = einsum("...iJ,...iJ->...", f, f)
    second = einsum("...iJ,...iJ->...", cof, cof)
    return Invariants(first, second, volume, f, cof)


def piola(at: Invariants, slopes: Slopes) -> Array:
    """Return P [Pa], (..., 3, 3)."""
    return sum((w[..., None, None] * g for w, g in zip(slopes, _gradients(at), strict=True)), 0.0 * at.f)


def tangent(at: Invariants, slopes: Slopes, bends: Bends) -> Array:
    """Return ∂P/∂F [Pa], (..., 3, 3, 3, 3)."""
    f, i, four = at.f, eye(3, at.f), (..., None, None, None, None)
    w1, w2, w3 = (w[four] for w in slopes)
    same = einsum("ik,JL->iJkL", i, i)
    right, left = einsum("...mJ,...mL->...JL", f, f), einsum("...iA,...kA->...ik", f, f)
    pair = einsum("...iJ,...kL->...iJkL", f, f)
    second = 2.0 * pair - einsum("...iL,...kJ->...iJkL", f, f) + at.first[four] * same
    second = second - einsum("ik,...JL->...iJkL", i, right) - einsum("...ik,JL->...iJkL", left, i)
    eps = like(EPSILON, f)
    found = 2.0 * w1 * same + 2.0 * w2 * second + w3 * einsum("ikn,JLM,...nM->...iJkL", eps, eps, f)
    gradients = _gradients(at)
    for (a, b), w in bends.items():
        found = found + w[four] * einsum("...iJ,...kL->...iJkL", gradients[a], gradients[b])
        if a != b:
            found = found + w[four] * einsum("...iJ,...kL->...iJkL", gradients[b], gradients[a])
    return found


def _gradients(at: Invariants) -> tuple[Array, Array, Array]:
    """Return ∂I₁/∂F, ∂I₂/∂F, ∂J/∂F."""
    right = einsum("...mJ,...mL->...JL", at.f, at.f)
    shared = at.first[..., None, None] * at.f - einsum("...iA,...AJ->...iJ", at.f, right)
    return 2.0 * at.f, 2.0 * shared, at.cof


def lame(material: Material, p: Point) -> tuple[Array, Array]:
    """Return λ and μ [Pa] of Young's modulus and Poisson's ratio."""
    e, nu = material.young_modulus(p), material.poisson_ratio(p)  # type: ignore[misc]
    return e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), e / (2.0 * (1.0 + nu))


class Isotropic:
    """Base of energies of invariants; a member gives `energy_of`, `slopes` and `bends`."""

    def energy_of(self, p: Point, at: Invariants) -> Array:
        """Return W [Pa]."""
        raise NotImplementedError

    def slopes(self, p: Point, at: Invariants) -> Slopes:
        """Return the first derivatives of W."""
        raise NotImplementedError

    def bends(self, p: Point, at: Invariants) -> Bends:
        """Return the second derivatives of W."""
        raise NotImplementedError

    def energy(self, p: Point, f: Array) -> Array:
        """Return W [J/m³] at F (C, Q, 3, 3)."""
        return self.energy_of(p, invariants(f))

    def respond(self, p: Point, f: Array, slope: bool = False) -> tuple[Array, Any]:
        """Return P [Pa], and ∂P/∂F where ``slope`` asks for it."""
        at = invariants(f)
        slopes = self.slopes(p, at)
        return piola(at, slopes), tangent(at, slopes, self.bends(p, at)) if slope else None
