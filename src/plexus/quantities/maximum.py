"""Largest value of an expression of the fields in the body, a region or on a boundary.

The expression is taken at the element nodes of every cell; derived fields such as stresses are those
of the cell itself, not averages over neighbours.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Expression, Field
from plexus.formulation.place import Place
from plexus.registry import register


class MaximumParams(Place):
    """Parameters of `Maximum`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "maximum", MaximumParams)
class Maximum:
    """Largest value at the nodes of a part."""

    def __init__(self, params: MaximumParams):
        self.params = params

    def evaluate(self, run: Any) -> float:
        """Return the largest value at the present state. Collective."""
        from plexus.formulation.sampler import sampler

        s = sampler(run)
        return s.extremum(run, s.integrand(self.params.of), self.params.part, largest=True)

    def unit(self, run: Any) -> str:
        """Return the unit of the expression."""
        from plexus.formulation import units

        return units.of_expression(run, self.params.of)


EXAMPLE: dict[str, Any] = {"type": "maximum", "of": "temperature"}
