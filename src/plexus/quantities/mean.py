"""Mean of an expression of the fields: ∫ f dx / ∫ dx over the body, a region or a boundary.

Weighted with 2πr in an axisymmetric body; quadrature as for ``integral``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Expression, Field
from plexus.quantities.base import PartQuantity, Place
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.run import Run


class MeanParams(Place):
    """Parameters of `Mean`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "mean", MeanParams)
class Mean(PartQuantity):
    """∫ f / ∫ 1 over a part."""

    params: MeanParams

    def __init__(self, params: MeanParams):
        self.params = params

    def looks(self, run: Run) -> Integrand:
        """Return the expression."""
        return run.fields.integrand(self.params.of)

    def evaluate(self, run: Run) -> float:
        """Return the mean at the present state. Collective."""
        fields, part = run.fields, self.params.part
        # both integrals by one rule, so that the mean of a constant is that constant
        total = fields.integrate(self.looks(run), part)
        return total / fields.integrate(lambda p: 1.0, part)

    def unit(self, run: Run) -> str:
        """Return the unit of the expression."""
        return run.fields.unit_of(self.params.of)


EXAMPLE: dict[str, Any] = {"type": "mean", "of": "temperature"}
