"""Steps of explicit methods at a given Courant number C: dt = C · longest stable step, at most the deck's.

The system computes the longest step from its wave speeds and diffusivities. R. Courant, K. Friedrichs,
H. Lewy, Math. Ann. 100 (1928) 32-74, doi:10.1007/BF01448839.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params
from plexus.protocols import Waves
from plexus.registry import register
from plexus.stepping.controllers.base import Limit, Steady, unlimited

if TYPE_CHECKING:
    from plexus.stepping.clock import Clock

EXAMPLE: dict[str, Any] = {"type": "courant", "number": 0.4}


class CourantParams(Params):
    """Parameters of `Courant`."""

    number: float = Field(0.5, gt=0, description="Courant number C")


@register("controller", "courant", CourantParams)
class Courant(Steady):
    """Steps that follow the fastest wave."""

    needs = Waves

    def __init__(self, params: CourantParams, step: float, span: float):
        super().__init__(params, step, span)
        self.number = params.number

    def propose(self, clock: Clock, target: float | None, limit: Limit = unlimited) -> float:
        """Return the step [s] at the Courant number. Collective."""
        return clock.fit(min(self.step, self.number * limit()), target)
