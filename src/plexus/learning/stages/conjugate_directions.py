"""Conjugate directions are followed with a network's answers, and what each step leaves is made small.

    energy:    L = 1/m Σ_k ‖e_k‖²_A / ‖e_k-1‖²_A          over m steps from drawn errors e_0
    residual:  L = 1/m Σ_k ‖r_k‖² / ‖r_k-1‖²

The residuals that the network learns from are thus those that it leaves itself
(`plexus.solvers.directions.steps`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from plexus.deck.params import Component, Field
from plexus.learning.stages.base import StageBase, StageParams, only_for
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "conjugate_directions", "steps": 300, "iterations": 5, "batch": 2}


class ConjugateDirectionsParams(StageParams):
    """Parameters of `ConjugateDirections`."""

    iterations: int = Field(5, ge=1, le=100, description="m, steps of conjugate directions")
    batch: int = Field(2, ge=1, description="solves of one system per step of the optimiser")
    objective: Literal["energy", "residual"] = Field("energy", description="what is made small")
    optimizer: Annotated[Any, Component("optimizer")] = Field(
        {"type": "adam", "rate": 0.003, "final_rate": 6e-5, "clip": 1.0}, description="how weights are moved"
    )


@register("stage", "conjugate_directions", ConjugateDirectionsParams)
class ConjugateDirections(StageBase):
    """Solves of systems drawn from the data."""

    @staticmethod
    def needs(params: ConjugateDirectionsParams, loss: Any) -> frozenset[str]:
        """Return that it needs linear systems."""
        return frozenset({"systems"})

    @staticmethod
    def problems(params: ConjugateDirectionsParams, deck: Deck) -> Wrong:
        """Yield that it trains networks of directions only."""
        yield from only_for("directions", deck)

    def work(self, session: Session) -> float:
        """Train on the systems. Collective."""
        from plexus.learning.stages._directed import Directed

        return session.loop(self.params, session.weights(), Directed(session, self.params))
