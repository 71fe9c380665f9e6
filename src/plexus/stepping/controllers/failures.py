"""The step of the deck, shortened where a solve does not converge, and grown back afterwards.

For marches without error estimate, e.g. quasi-static loading: after a failed solve the step is repeated with
a quarter of its length, and each accepted step may be half as long again, up to that of the deck.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from plexus.deck.params import Field, Params, Unit
from plexus.errors import PlexusError
from plexus.registry import register
from plexus.stepping.controllers.base import Shortening

EXAMPLE: dict[str, Any] = {"type": "failures", "min": "1 ms"}


class FailuresParams(Params):
    """Parameters of `Failures`."""

    min: Annotated[float, Unit("s")] = Field(
        1e-12, gt=0, description="smallest step; a failed solve at it stops the run"
    )
    retry: float = Field(0.25, gt=0, lt=1, description="factor on a step whose solve has failed")
    recover: float = Field(1.5, ge=1, description="factor on the step after one that was accepted")


@register("controller", "failures", FailuresParams)
class Failures(Shortening):
    """Shorter steps where solves fail."""

    def __init__(self, params: FailuresParams, step: float, span: float):
        super().__init__(params, step, span)
        self.params, self.smallest, self._given = params, params.min, step

    def accept(self, dt: float, error: float | None, order: int) -> bool:
        """Accept every step; one that failures had shortened lets the next be longer."""
        if self.step < self._given:
            self.step = min(self.params.recover * dt, self._given)
        return True

    def failed(self, dt: float, failure: PlexusError) -> None:
        """Shorten the step."""
        self.reduce(dt, self.params.retry, str(failure))

    def state(self) -> dict[str, float]:
        """Return what a restart needs."""
        return {"step": self.step, "rejected": self.rejected}

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned, with a step no longer than that of this deck."""
        self.step, self.rejected = min(float(state["step"]), self._given), int(state["rejected"])
