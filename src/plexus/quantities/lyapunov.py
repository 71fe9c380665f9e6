"""Largest Lyapunov exponent: mean growth rate of a tangent of the flow, λ = (s(t) - s(t_0)) / (t - t_0).

A small disturbance grows as e^s along the solution; its direction and s march with the model (see
`plexus.models.tangent`) and stand in checkpoints. In an ensemble λ is the mean over the members. Give the
run time to reach its attractor, and the tangent to turn: growth is counted from ``after`` on. The error falls
with the time as 1/√t. G. Benettin et al., Meccanica 15 (1980) 9-20, doi:10.1007/BF02128236.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

from plexus.deck.params import Field, Params, Unit
from plexus.errors import InputError
from plexus.protocols import Tangents
from plexus.quantities.base import QuantityBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class LyapunovParams(Params):
    """Parameters of `Lyapunov`."""

    after: Annotated[float, Unit("s")] = Field(0.0, description="time from which growth is counted")


@register("quantity", "lyapunov", LyapunovParams)
class Lyapunov(QuantityBase):
    """Growth rate of a tangent."""

    rough = "growth of a tangent has no gradient: take an integral or a mean"

    needs = Tangents

    def __init__(self, params: LyapunovParams):
        self.params = params

    def prepare(self, run: Run) -> None:
        """Refuse a time after which nothing grows any more.

        Raises
        ------
        InputError
            If ``after`` is not before the end of the run.
        """
        if self.params.after >= run.clock.end:
            raise InputError(f"after {self.params.after:g} s is not before the end {run.clock.end:g} s")

    def evaluate(self, run: Run) -> float:
        """Return the exponent so far; not a number until ``after``. Collective."""
        return cast(Tangents, run.fields).growth_rate(self.params.after)

    def unit(self, run: Run) -> str:
        """Return that of a rate."""
        return "1/s"


EXAMPLE: dict[str, Any] = {"type": "lyapunov", "after": "20 s"}
