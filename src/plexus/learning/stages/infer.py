"""Constants of the physics from frames of a kinetic run, by gradients through roll-outs of the reduced model.

The model starts from each frame's moments, with the flow solved from them, and its moments some steps later
are compared with the kinetic run's. The constants are searched as exp(q) times their guesses; the weights of
the closure stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from plexus.deck.params import Component, Field
from plexus.learning.stages.base import StageBase, StageParams
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "infer", "steps": 4, "horizon": 5, "guess": {"zeta": 1.3}}


class InferParams(StageParams):
    """Parameters of `Infer`."""

    guess: dict[Literal["alpha", "zeta"], float] = Field(
        min_length=1, description="constants to infer and where to start from, e.g. {zeta: 1.3}"
    )
    horizon: int = Field(
        25, ge=1, description="length in steps of the roll-outs that constants are fitted on"
    )
    optimizer: Annotated[Any, Component("optimizer")] = Field("lbfgs", description="how they are searched")


@register("stage", "infer", InferParams)
class Infer(StageBase):
    """Constants from roll-outs."""

    trains = False

    @staticmethod
    def needs(params: InferParams, loss: Any) -> frozenset[str]:
        """Return what roll-outs of moments need."""
        return frozenset({"flow"})

    @staticmethod
    def leads(params: InferParams, loss: Any) -> tuple[int, ...]:
        """Return the length of the roll-outs."""
        return (params.horizon,)

    def work(self, session: Session) -> float:
        """Fit the constants; the result is in ``position.inferred``. Collective."""
        from plexus.learning.stages._constants import Constants

        session.part.network.requires_grad_(False)
        objective = Constants(session, self.params)
        loss = session.loop(self.params, {"constants": objective.q}, objective)
        session.part.network.requires_grad_(True)
        session.position.inferred = objective.found()
        session.numbers({f"inferred {n}": v for n, v in session.position.inferred.items()})
        return loss
