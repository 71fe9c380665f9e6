"""Shortest life of a body, in cycles, or where it is, from an output `cycles` with a criterion.

It is that of the latest cycle that the output has looked at: not a number before the first one, infinite
where no cycle does harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import Balances, Lasting
from plexus.quantities.base import QuantityBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class ShortestLifeParams(Params):
    """Parameters of `ShortestLife`."""

    output: str = Field("cycles", description="name of the output")
    tell: Literal["life", "x", "y", "z"] = Field("life", description="the life, or a coordinate of its place")


@register("quantity", "shortest_life", ShortestLifeParams)
class ShortestLife(QuantityBase):
    """The life of the point that fails first."""

    needs = Balances
    of_output = "cycles"
    """Type of the output whose lives are told."""
    rough = "a shortest life is not differentiable"

    def __init__(self, params: ShortestLifeParams):
        self.params = params

    def evaluate(self, run: Run) -> float:
        """Return the life [cycles] or a coordinate [m]. Collective."""
        outputs = [o for o in run.observers if isinstance(o, Lasting) and o.name == self.params.output]
        if not outputs:
            return float("nan")
        life, place = outputs[0].shortest(run)
        return life if self.params.tell == "life" else float(place["xyz".index(self.params.tell)])

    def unit(self, run: Run) -> str:
        """Return the unit of a coordinate."""
        return "" if self.params.tell == "life" else "m"


EXAMPLE: dict[str, Any] = {"type": "shortest_life"}
