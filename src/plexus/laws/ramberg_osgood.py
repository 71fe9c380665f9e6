"""Nonlinear elasticity that follows the hardening curve of a metal: deformation theory with a power law.

    E ε = σ + α (|σ|/σ₀)^(n-1) σ    in tension,    in general    σ = κ tr(ε) I + 2/3 (J/e) dev ε,
    e = J/(3μ) + α (J/σ₀)^(n-1) J/E,    e = sqrt(2/3 dev ε:dev ε),    J = von Mises stress

====== ================================= ====
symbol meaning                           unit
====== ================================= ====
σ₀     reference stress                  Pa
α      strain at σ₀ beyond σ₀/E, in σ₀/E 1
n      exponent of hardening             1
====== ================================= ====

The right-hand side of the equation for J grows and is convex, so that Newton's method from above falls to
its one root. Source: W. Ramberg, W. R. Osgood, NACA TN 902 (1943); J. W. Hutchinson, J. Mech. Phys. Solids
16 (1968) 13-31, doi:10.1016/0022-5096(68)90014-8, for several axes. Valid for loads that grow in
proportion: unloading goes back on the same curve.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.fields.arrays import root, unrecorded, where
from plexus.formulation.material import Material
from plexus.laws._invariants import Scalars, answer, shape_of
from plexus.protocols import Array, FieldSpec, Point, Response
from plexus.registry import register

ROUNDS = 60
"""Most Newton steps; from the nearer asymptote the hardest data that were tried take 7."""
ENOUGH = 1e-14
"""Relative step at which Newton's method ends."""


class RambergOsgoodParams(Material):
    """Parameters of `RambergOsgood`, beside the elastic ones of the material."""

    reference_stress: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="reference stress σ₀")
    offset: Annotated[Property, Unit("1"), Within(gt=0)] = Field(
        3.0 / 7.0,
        description="strain at σ₀ beyond the elastic one, in units of σ₀/E",
        json_schema_extra={"source": "NACA TN 902: where the secant modulus is 0.7 E"},
    )
    exponent: Annotated[Property, Unit("1"), Within(ge=1)] = Field(description="exponent n")


@register("law", "ramberg_osgood", RambergOsgoodParams)
class RambergOsgood:
    """Deformation theory with a power law."""

    internal: tuple[FieldSpec, ...] = ()
    linear = False
    symmetric = True
    isochoric = True

    def __init__(self, params: RambergOsgoodParams):
        params.need("law", "young_modulus", "poisson_ratio")
        self.material, self.params = params, params

    def bulk(self, p: Point) -> Array:
        """Return κ [Pa]."""
        e, nu = self._data(p)
        return e / (3.0 * (1.0 - 2.0 * nu))

    def respond(self, p: Point, strain: Array, tangent: bool = False, memory: bool = False) -> Response:
        """Return the stress, and the tangent where it is asked for."""
        e, nu = self._data(p)
        three_mu, bulk, shape = 1.5 * e / (1.0 + nu), self.bulk(p), shape_of(strain)
        size = root(2.0 / 3.0 * shape.square)
        rest = size == 0.0
        safe = where(rest, 1.0, size)
        s0, power = self.params.reference_stress(p), self.params.exponent(p)
        soft = self.params.offset(p) / e
        stress = _mises(safe, three_mu, soft, s0, power)
        # at rest the curve begins with the slope 3μ; n = 1 is softer from the start
        slope = 1.0 / (1.0 / three_mu + soft * power * (stress / s0) ** (power - 1.0))
        begin = 1.0 / (1.0 / three_mu + where(power == 1.0, soft, 0.0 * soft))
        secant = where(rest, begin, stress / safe)
        shear = 2.0 / 3.0 * secant
        slopes = None
        if tangent:
            # ∂(J/e)/∂(q²) = (J' - J/e)/(3 e²)
            turn = where(rest, 0.0, 4.0 / 9.0 * (slope - secant) / safe**2)
            slopes = (bulk + 0.0 * size, 0.0 * size, turn)
        return answer(shape, Scalars(bulk * shape.theta, shear, slopes))

    def _data(self, p: Point) -> tuple[Array, Array]:
        return self.material.young_modulus(p), self.material.poisson_ratio(p)  # type: ignore[misc]


def _mises(size: Array, three_mu: Array, soft: Array, s0: Array, power: Array) -> Array:
    """Return J of equivalent strains e > 0."""
    elastic, plastic = three_mu * size, s0 * (size / (soft * s0)) ** (1.0 / power)
    # either term alone overestimates J, so that the lesser of both starts above the root
    j = where(elastic < plastic, elastic, plastic)

    def step(j: Array) -> Array:
        growth = soft * (j / s0) ** (power - 1.0)
        return (j / three_mu + growth * j - size) / (1.0 / three_mu + power * growth)

    with unrecorded(size, three_mu, soft, s0):
        for _ in range(ROUNDS):
            change = step(j)
            j = j - change
            if not bool((abs(change) > ENOUGH * j).any()):
                break
    # one more step takes the derivatives of the root along
    return j - step(j)


EXAMPLE: dict[str, Any] = {
    "young_modulus": "70 GPa",
    "poisson_ratio": 0.33,
    "reference_stress": "250 MPa",
    "exponent": 8,
}
