"""Compressible neo-Hookean body.

    W = μ/2 (I₁ - 3 - 2 ln J) + λ/2 (ln J)²,    λ = E ν/((1 + ν)(1 - 2ν)),    μ = E/(2 (1 + ν))

At small strain it is Hooke's law with the same E and ν. Source: J. C. Simo, T. J. R. Hughes, Computational
Inelasticity, Springer 1998, section 9.2; J. Bonet, R. D. Wood, Nonlinear Continuum Mechanics for Finite
Element Analysis, 2nd ed., Cambridge 2008, section 6.4.3. Valid for rubber and soft tissue at moderate
stretch; for J above e the volumetric part is no longer convex.
"""

from __future__ import annotations

from typing import Any

from plexus.fields.arrays import log
from plexus.formulation.material import Material
from plexus.potentials._invariants import Bends, Invariants, Isotropic, Slopes, lame
from plexus.protocols import Array, Point
from plexus.registry import register


class NeoHookeanParams(Material):
    """Parameters of `NeoHookean`: young_modulus and poisson_ratio of the material."""


@register("potential", "neo_hookean", NeoHookeanParams)
class NeoHookean(Isotropic):
    """W of the module's head."""

    def __init__(self, params: NeoHookeanParams):
        params.need("potential", "young_modulus", "poisson_ratio")
        self.material = params

    def energy_of(self, p: Point, at: Invariants) -> Array:
        """Return W [Pa]."""
        lam, mu = lame(self.material, p)
        size = log(at.volume)
        return 0.5 * mu * (at.first - 3.0 - 2.0 * size) + 0.5 * lam * size**2

    def slopes(self, p: Point, at: Invariants) -> Slopes:
        """Return the first derivatives of W."""
        lam, mu = lame(self.material, p)
        along = (lam * log(at.volume) - mu) / at.volume
        return 0.5 * mu + 0.0 * along, 0.0 * along, along

    def bends(self, p: Point, at: Invariants) -> Bends:
        """Return the second derivatives of W."""
        lam, mu = lame(self.material, p)
        return {(2, 2): (lam - lam * log(at.volume) + mu) / at.volume**2}


EXAMPLE: dict[str, Any] = {"young_modulus": "2 MPa", "poisson_ratio": 0.4}
