"""Integral of an expression of the fields: ∫ f dx over the body or a region, or ∫ f ds over a boundary.

An axisymmetric body counts with 2πr, a plane section with its thickness. Quadrature is exact for
polynomials of degree 2p + 2, with p the degree of the elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Expression, Field
from plexus.quantities.base import PartQuantity, Place
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.run import Run


class IntegralParams(Place):
    """Parameters of `Integral`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "integral", IntegralParams)
class Integral(PartQuantity):
    """∫ f over a part."""

    params: IntegralParams

    def __init__(self, params: IntegralParams):
        self.params = params

    def looks(self, run: Run) -> Integrand:
        """Return the expression."""
        return run.fields.integrand(self.params.of)

    def evaluate(self, run: Run) -> float:
        """Return the integral at the present state. Collective."""
        fields = run.fields
        return fields.integrate(self.looks(run), self.params.part)

    def unit(self, run: Run) -> str:
        """Return the unit of the integral."""
        return run.fields.integrated(run.fields.unit_of(self.params.of), self.params.part)


EXAMPLE: dict[str, Any] = {"type": "integral", "of": "temperature^2"}
