"""Mean of an expression of the fields: ∫ f dx / ∫ dx over the body, a region or a boundary.

Weighted with 2πr in an axisymmetric body, along its axis with the length; quadrature as for ``integral``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Expression, Field
from plexus.errors import InputError
from plexus.quantities.base import PartQuantity, Place
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.run import Run
    from plexus.spaces.evaluate import Part


ONE = Expression("1")


class MeanParams(Place):
    """Parameters of `Mean`."""

    of: Expression = Field(description="expression of coordinates, time and fields")


@register("quantity", "mean", MeanParams)
class Mean(PartQuantity):
    """∫ f / ∫ 1 over a part."""

    params: MeanParams

    def __init__(self, params: MeanParams):
        self.params = params
        self._bare: bool | None = None

    def looks(self, run: Run) -> Integrand:
        """Return the expression."""
        return run.fields.integrand(self.params.of)

    def evaluate(self, run: Run) -> float:
        """Return the mean at the present state. Collective."""
        fields, part = run.fields, self.params.part
        if self._bare is None:
            self._bare = self._on_axis(run)
        # both integrals by one rule, so that the mean of a constant is that constant
        total = fields.integrate(self.looks(run), part, bare=self._bare)
        return total / fields.integrate(fields.integrand(ONE), part, bare=self._bare)

    def _on_axis(self, run: Run) -> bool:
        """Return whether the part is so near to the axis that 2πr is rounding. Collective.

        Raises
        ------
        InputError
            If the part has no extent at all.
        """
        from plexus.spaces.evaluate import WHOLE

        one = run.fields.integrand(ONE)

        def ratio(part: Part) -> float:
            extent = run.fields.integrate(one, part, bare=True)
            if not extent:
                raise InputError(
                    "there is nothing to take the mean of: the part has no length, area or volume"
                )
            return abs(run.fields.integrate(one, part)) / extent

        return ratio(self.params.part) <= 1e-9 * ratio(WHOLE)

    def unit(self, run: Run) -> str:
        """Return the unit of the expression."""
        return run.fields.unit_of(self.params.of)


EXAMPLE: dict[str, Any] = {"type": "mean", "of": "temperature"}
