"""Steps that grow geometrically from that of the deck: dt_n = dt_0 gⁿ, at most ``max``.

Where a value jumps at the start, at a side against that inside, the solution is a function of x/√t: it changes by
the same amount in every step of the same share of the time that has passed. With t_n = dt_0 (gⁿ - 1)/(g - 1) that
share tends to 1 - 1/g, so that the jump does not spoil the order of a method. After a load that jumps the steps
start anew. A prescribed time is reached by equal steps, two in the place of one and a short rest. C. Lubich, A.
Ostermann, Math. Comp. 60 (1993) 105-131, doi:10.2307/2153158, on errors after starts that are not smooth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck.params import Field, Params, Unit
from plexus.registry import register
from plexus.stepping.controllers.base import Limit, Steady, unlimited

if TYPE_CHECKING:
    from plexus.deck.time import Time
    from plexus.stepping.clock import Clock

EXAMPLE: dict[str, Any] = {"type": "graded", "growth": 1.1}


class GradedParams(Params):
    """Parameters of `Graded`; the first step is that of the block `time`."""

    growth: float = Field(1.1, gt=1, le=2, description="factor g from a step to the next")
    max: Annotated[float, Unit("s")] | None = Field(None, gt=0, description="largest step; none without this")


@register("controller", "graded", GradedParams)
class Graded(Steady):
    """Geometric steps."""

    def __init__(self, params: GradedParams, step: float, span: float):
        super().__init__(params, step, span)
        self.growth, self.most, self._given = params.growth, params.max or span, step

    @staticmethod
    def longest(params: Any, time: Time) -> float:
        """Return the largest step [s]."""
        return params.max or time.end - time.start

    def propose(self, clock: Clock, target: float | None, limit: Limit = unlimited) -> float:
        """Return the step [s] to try, one of as many equal ones as lead to the target."""
        room = (clock.end if target is None else min(target, clock.end)) - clock.t
        return clock.fit(room / max(1, math.ceil(room / self.step - 1e-9)), target)

    def accept(self, dt: float, error: float | None, order: int) -> bool:
        """Accept every step; the next one is longer."""
        self.step = min(self.growth * self.step, self.most)
        return True

    def begin_anew(self) -> None:
        """Go back to the step of the deck."""
        self.step = self._given

    def state(self) -> dict[str, float]:
        """Return the step that comes next."""
        return {"step": self.step}

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned, within the limits of this deck."""
        self.step = min(float(state["step"]), self.most)
