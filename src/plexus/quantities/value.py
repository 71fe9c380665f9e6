"""Value of an expression of the fields at one place.

Unknowns are interpolated in the cell that holds the place. Derived fields such as stresses are first
recovered at the nodes (averaged over the cells around, weighted with their volumes), as in the output.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Expression, Field, Params, Unit
from plexus.formulation.entries import PerAxis
from plexus.registry import register


class ValueParams(Params):
    """Parameters of `Value`."""

    of: Expression = Field(description="expression of coordinates, time and fields")
    at: Annotated[tuple[Annotated[float, Unit("m")], ...], PerAxis] = Field(
        min_length=1, max_length=3, description="coordinates of the place"
    )


@register("quantity", "value", ValueParams)
class Value:
    """An expression at a point of the body."""

    def __init__(self, params: ValueParams):
        self.params = params

    def prepare(self, run: Any) -> None:
        """Find the place in the mesh. Collective.

        Raises
        ------
        InputError
            If the place lies outside the mesh.
        """
        from plexus.formulation.sampler import sampler

        sampler(run).locate(run, self.params.at)

    def evaluate(self, run: Any) -> float:
        """Return the value at the present state. Collective."""
        from plexus.formulation.sampler import sampler

        return sampler(run).value(run, self.params.of, self.params.at)

    def unit(self, run: Any) -> str:
        """Return the unit of the expression."""
        from plexus.formulation import units

        return units.of_expression(run, self.params.of)


EXAMPLE: dict[str, Any] = {"type": "value", "of": "temperature", "at": ["10 mm", 0.0]}
