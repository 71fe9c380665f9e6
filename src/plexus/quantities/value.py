"""Value of an expression of the fields at one place.

Unknowns are interpolated in the cell that holds the place. Derived fields such as stresses are first
recovered at the nodes (averaged over the cells of one material around, weighted with their volumes), as in
the output. Where materials meet, the cell of the lowest number answers, and the run warns; a place on a
contact is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from plexus.deck.params import Expression, Field, Params, Unit
from plexus.formulation.entries import PerAxis
from plexus.protocols import Balances
from plexus.quantities.base import QuantityBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class ValueParams(Params):
    """Parameters of `Value`."""

    of: Expression = Field(description="expression of coordinates, time and fields")
    at: Annotated[tuple[Annotated[float, Unit("m")], ...], PerAxis] = Field(
        min_length=1, max_length=3, description="coordinates of the place"
    )

    def positions(self) -> dict[str, np.ndarray]:
        """Return the place (1, d) [m]."""
        return {"at": np.array([self.at])}


@register("quantity", "value", ValueParams)
class Value(QuantityBase):
    """An expression at a point of the body."""

    def __init__(self, params: ValueParams):
        self.params = params

    def prepare(self, run: Run) -> None:
        """Find the place in the mesh. Collective.

        Raises
        ------
        InputError
            If the place lies outside the mesh, or on a contact.
        """
        fields, p = run.fields, self.params
        fields.locate(np.array([p.at]))
        if isinstance(fields, Balances) and len(fields.jumps(p.of.names, np.array([p.at]))):
            self.warn(
                run,
                f"at: materials meet at this place, and {p.of.text!r} may have another value on each side: "
                "this is that of one of them; move the place into the one meant",
            )

    def evaluate(self, run: Run) -> float:
        """Return the value at the present state. Collective."""
        return run.fields.value(self.params.of, self.params.at)

    def unit(self, run: Run) -> str:
        """Return the unit of the expression."""
        return run.fields.unit_of(self.params.of)


EXAMPLE: dict[str, Any] = {"type": "value", "of": "temperature", "at": ["10 mm", 0.0]}
