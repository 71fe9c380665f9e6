"""Mean of an expression of the fields: ∫ f dx / ∫ dx over the body, a region or a boundary.

Weighted with 2πr in an axisymmetric body; quadrature as for ``integral``.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Expression, Field
from plexus.formulation.place import Place
from plexus.registry import register


class MeanParams(Place):
    """Parameters of `Mean`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "mean", MeanParams)
class Mean:
    """∫ f / ∫ 1 over a part."""

    def __init__(self, params: MeanParams):
        self.params = params

    def evaluate(self, run: Any) -> float:
        """Return the mean at the present state. Collective."""
        from plexus.formulation.sampler import sampler

        s, part = sampler(run), self.params.part
        # both integrals by one rule, so that the mean of a constant is that constant
        total = s.integrate(run, s.integrand(self.params.of), part)
        return float(total / s.integrate(run, lambda p: 1.0, part))

    def unit(self, run: Any) -> str:
        """Return the unit of the expression."""
        from plexus.formulation import units

        return units.of_expression(run, self.params.of)


EXAMPLE: dict[str, Any] = {"type": "mean", "of": "temperature"}
