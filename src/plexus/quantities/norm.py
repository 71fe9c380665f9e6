"""L2 norm of an expression of the fields: sqrt(∫ f² dx) over the body, a region or a boundary.

Quadrature as for ``integral``.
"""

from __future__ import annotations

import math
from typing import Any

from plexus.deck.params import Expression, Field
from plexus.formulation.place import Place
from plexus.registry import register


class NormParams(Place):
    """Parameters of `Norm`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "norm", NormParams)
class Norm:
    """sqrt(∫ f²) over a part."""

    def __init__(self, params: NormParams):
        self.params = params

    def evaluate(self, run: Any) -> float:
        """Return the norm at the present state. Collective."""
        from plexus.formulation.sampler import sampler

        s = sampler(run)
        f = s.integrand(self.params.of)
        return math.sqrt(s.integrate(run, lambda p: f(p) ** 2, self.params.part))

    def unit(self, run: Any) -> str:
        """Return the unit of the norm."""
        from plexus.formulation import units

        return units.integrated(run, units.of_expression(run, self.params.of), self.params.part, 0.5)


EXAMPLE: dict[str, Any] = {"type": "norm", "of": "temperature - 300"}
