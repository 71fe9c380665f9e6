"""Largest value of an expression of the fields in the body, a region or on a boundary.

The expression is taken at the element nodes of every cell; derived fields such as stresses are those
of the cell itself, not averages over neighbours. What reads internal variables is taken in the body at the
quadrature points, where they are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Expression, Field
from plexus.quantities.base import PartQuantity, Place
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.run import Run


class MaximumParams(Place):
    """Parameters of `Maximum`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "maximum", MaximumParams)
class Maximum(PartQuantity):
    """Largest value at the nodes of a part."""

    rough = "an extremum is not differentiable: take a norm, or an integral of a high power"

    params: MaximumParams

    def __init__(self, params: MaximumParams):
        self.params = params

    def looks(self, run: Run) -> Integrand:
        """Return the expression."""
        return run.fields.integrand(self.params.of)

    def evaluate(self, run: Run) -> float:
        """Return the largest value at the present state. Collective."""
        fields = run.fields
        return fields.extremum(self.looks(run), self.params.part, largest=True)

    def unit(self, run: Run) -> str:
        """Return the unit of the expression."""
        return run.fields.unit_of(self.params.of)


EXAMPLE: dict[str, Any] = {"type": "maximum", "of": "temperature"}
