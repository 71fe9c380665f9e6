"""Regression: the part's answers are fitted to what they should be, on batches drawn from all samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.learning.stages.base import StageBase, StageParams
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "fit", "steps": 100, "batch": 1024}


class FitParams(StageParams):
    """Parameters of `Fit`."""

    batch: Annotated[int, Field(ge=1)] | Literal["all"] | None = Field(
        None,
        description="points per step (default: 4096) or, where needed, whole samples (4); all (second order)",
    )
    noise: float = Field(
        0.0, ge=0, lt=1, description="noise on the measured inputs, as a share of their root mean square"
    )
    loss: Annotated[Params | None, Component("loss")] = Field(
        None, description="what is made small; none: as the training says"
    )


@register("stage", "fit", FitParams)
class Fit(StageBase):
    """Regression on the chosen samples."""

    @staticmethod
    def needs(params: Any, loss: Any) -> frozenset[str]:
        """Return what the loss needs."""
        cls: Any = registry.component("loss", (params.loss or loss).type).cls
        return frozenset(cls.needs)

    @staticmethod
    def leads(params: Any, loss: Any) -> tuple[int, ...]:
        """Return those of the loss."""
        chosen = params.loss or loss
        cls: Any = registry.component("loss", chosen.type).cls
        return tuple(cls.leads(chosen))

    def work(self, session: Session) -> float:
        """Fit on the chosen samples. Collective."""
        from plexus.learning.stages._regression import Regression

        objective = Regression(session, self.params, session.chosen(), session.position.stage)
        return session.loop(self.params, session.weights(), objective)
