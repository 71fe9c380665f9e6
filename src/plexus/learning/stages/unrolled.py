"""Roll-outs of a reduced model are fitted to the kinetic run that they start from, through the solver.

The loss is the error of moments and strain rate after 1, 4, 16, ... steps, each roll-out's divided by that of
the classical closure from the same frame: 1 means as good as classical.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck.params import Component, Field
from plexus.learning.stages.base import StageBase, StageParams
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "unrolled", "steps": 10, "unroll": [1, 4]}
Whole = Annotated[int, Field(ge=1)]


class UnrolledParams(StageParams):
    """Parameters of `Unrolled`."""

    batch: int | None = Field(None, ge=1, description="roll-outs per step (default: 4)")
    unroll: tuple[Whole, ...] = Field(
        (1, 4, 16), min_length=1, description="lengths of roll-outs in steps, one after the other"
    )
    truncate: int = Field(64, ge=1, description="steps through which gradients flow back at most")
    flow: float = Field(0.1, ge=0, description="weight of the strain rate's error beside the moments'")
    anchor: float = Field(0.0, ge=0, description="weight of the training's own loss beside the roll-outs'")
    # a roll-out that meets a steep place must not throw the weights away
    optimizer: Annotated[Any, Component("optimizer")] = Field(
        {"type": "adam", "clip": 1.0}, description="how weights are moved; gradients need a `clip`"
    )


@register("stage", "unrolled", UnrolledParams)
class Unrolled(StageBase):
    """Roll-outs beside the kinetic run."""

    @staticmethod
    def needs(params: UnrolledParams, loss: Any) -> frozenset[str]:
        """Return what roll-outs of moments need."""
        return frozenset({"flow"})

    @staticmethod
    def leads(params: UnrolledParams, loss: Any) -> tuple[int, ...]:
        """Return the lengths of the roll-outs."""
        return params.unroll

    def work(self, session: Session) -> float:
        """Fit roll-outs. Collective."""
        from plexus.learning.stages._through import Through

        with session.ctx.timers("training"):
            objective = Through(session, self.params)
        return session.loop(self.params, session.weights(), objective)

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return the solver in which the part was trained."""
        assert session.deck.time is not None
        step = session.deck.time.step
        return {"stepping": {"dt": [step, step], "integrator": "sbdf2"}}
