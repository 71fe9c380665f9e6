"""Integral of an expression of the fields: ∫ f dx over the body or a region, or ∫ f ds over a boundary.

An axisymmetric body counts with 2πr, a plane section with its thickness. Quadrature is exact for
polynomials of degree 2p + 2, with p the degree of the elements.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Expression, Field
from plexus.formulation.place import Place
from plexus.registry import register


class IntegralParams(Place):
    """Parameters of `Integral`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "integral", IntegralParams)
class Integral:
    """∫ f over a part."""

    def __init__(self, params: IntegralParams):
        self.params = params

    def evaluate(self, run: Any) -> float:
        """Return the integral at the present state. Collective."""
        from plexus.formulation.sampler import sampler

        s = sampler(run)
        return float(s.integrate(run, s.integrand(self.params.of), self.params.part))

    def unit(self, run: Any) -> str:
        """Return the unit of the integral."""
        from plexus.formulation import units

        return units.integrated(run, units.of_expression(run, self.params.of), self.params.part)


EXAMPLE: dict[str, Any] = {"type": "integral", "of": "temperature^2"}
