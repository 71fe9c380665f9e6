"""Body after St Venant and Kirchhoff: Hooke's law between Green's strain and its stress.

    W = λ/2 (tr E)² + μ E:E,    E = (C - I)/2,    tr E = (I₁ - 3)/2,    E:E = (I₁² - 2 I₂ - 2 I₁ + 3)/4

with λ and μ as for small strain; the stress that belongs to E is the second Piola-Kirchhoff stress. Source:
J. Bonet, R. D. Wood, Nonlinear Continuum Mechanics for Finite Element Analysis, 2nd ed., Cambridge 2008,
section 6.4.1. Valid for small strain with large rotations; squeezed to 58 % of its length a bar loses its
stiffness, which the energy of no real body does.
"""

from __future__ import annotations

from typing import Any

from plexus.formulation.material import Material
from plexus.potentials._invariants import Bends, Invariants, Isotropic, Slopes, lame
from plexus.protocols import Array, Point
from plexus.registry import register


class StVenantParams(Material):
    """Parameters of `StVenant`: young_modulus and poisson_ratio of the material."""


@register("potential", "st_venant", StVenantParams)
class StVenant(Isotropic):
    """W of the module's head."""

    def __init__(self, params: StVenantParams):
        params.need("potential", "young_modulus", "poisson_ratio")
        self.material = params

    def energy_of(self, p: Point, at: Invariants) -> Array:
        """Return W [Pa]."""
        lam, mu = lame(self.material, p)
        square = (at.first**2 - 2.0 * at.second - 2.0 * at.first + 3.0) / 4.0
        # what is turned inside out has no energy here either
        return lam / 8.0 * (at.first - 3.0) ** 2 + mu * square + 0.0 * at.volume

    def slopes(self, p: Point, at: Invariants) -> Slopes:
        """Return the first derivatives of W."""
        lam, mu = lame(self.material, p)
        none = 0.0 * at.volume
        return lam / 4.0 * (at.first - 3.0) + mu / 2.0 * (at.first - 1.0), -0.5 * mu + none, none

    def bends(self, p: Point, at: Invariants) -> Bends:
        """Return the second derivatives of W."""
        lam, mu = lame(self.material, p)
        return {(0, 0): lam / 4.0 + mu / 2.0 + 0.0 * at.first}


EXAMPLE: dict[str, Any] = {"young_modulus": "210 GPa", "poisson_ratio": 0.3}
