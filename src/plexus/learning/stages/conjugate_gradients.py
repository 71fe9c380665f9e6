"""Conjugate gradients are sent through a learned preconditioner, and what they have reached is made small.

    reduction:  (log ‖e_m‖_A/‖e_0‖_A + log ‖r_m‖/‖r_0‖) / 2m          after m steps
    count:      (1 + Σ_k σ((log ‖r_k‖/‖b‖ - log ε)/½)) / m            with ε drawn from `tolerances`

The second is the number of steps that a solve takes, made smooth. S. Arisaka, Q. Li, Principled acceleration
of iterative numerical methods using machine learning, ICML (2023), doi:10.48550/arXiv.2206.08594.
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

EXAMPLE: dict[str, Any] = {"type": "conjugate_gradients", "steps": 10, "iterations": 4}


class ConjugateGradientsParams(StageParams):
    """Parameters of `ConjugateGradients`."""

    iterations: int = Field(4, ge=1, le=100, description="m, steps of conjugate gradients; count: at most")
    batch: int = Field(2, ge=1, description="systems per step of the optimiser")
    objective: Literal["reduction", "count"] = Field("reduction", description="what is made small")
    tolerances: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (1e-4, 1e-6, 1e-8), min_length=1, description="relative residuals that a count ends at"
    )
    optimizer: Annotated[Any, Component("optimizer")] = Field(
        {"type": "adam", "rate": 0.003, "clip": 1.0},
        description="how weights are moved; gradients need a `clip`",
    )


@register("stage", "conjugate_gradients", ConjugateGradientsParams)
class ConjugateGradients(StageBase):
    """Solves of systems drawn from the data."""

    @staticmethod
    def needs(params: ConjugateGradientsParams, loss: Any) -> frozenset[str]:
        """Return that it needs linear systems."""
        return frozenset({"systems"})

    @staticmethod
    def problems(params: ConjugateGradientsParams, deck: Deck) -> Wrong:
        """Yield that it trains a multigrid only."""
        yield from only_for("learned_multigrid", deck)

    def work(self, session: Session) -> float:
        """Train on the systems. Collective."""
        from plexus.learning.stages._solves import Solves, share_range

        loss = session.loop(self.params, session.weights(), Solves(session, self.params))
        share_range(session)
        return loss
