"""L2 norm of an expression of the fields: sqrt(∫ f² dx) over the body, a region or a boundary.

Quadrature as for ``integral``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Expression, Field
from plexus.quantities.base import PartQuantity, Place
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.run import Run


class NormParams(Place):
    """Parameters of `Norm`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "norm", NormParams)
class Norm(PartQuantity):
    """sqrt(∫ f²) over a part."""

    params: NormParams

    def __init__(self, params: NormParams):
        self.params = params

    def looks(self, run: Run) -> Integrand:
        """Return the expression."""
        return run.fields.integrand(self.params.of)

    def evaluate(self, run: Run) -> float:
        """Return the norm at the present state. Collective."""
        fields = run.fields
        f = self.looks(run)
        return fields.integrate(lambda p: f(p) ** 2, self.params.part) ** 0.5

    def unit(self, run: Run) -> str:
        """Return the unit of the norm."""
        return run.fields.integrated(run.fields.unit_of(self.params.of), self.params.part, 0.5)


EXAMPLE: dict[str, Any] = {"type": "norm", "of": "temperature - 300"}
