"""The objective of a training through conjugate directions: a system and errors in it, by seed and step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.learning.objective import Objective
from plexus.solvers.directions.stencil import Stencil, stencil_of
from plexus.solvers.directions.steps import drawn, left

if TYPE_CHECKING:
    from plexus.learning.session import Session


class Directed(Objective):
    """Mean over the solves of one system per step; solve n belongs to rank n modulo the number of ranks."""

    def __init__(self, session: Session, stage: Any):
        self.session, self.stage = session, stage
        self.key = session.plan.seed, session.position.stage
        self._made: dict[int, Stencil] = {}

    def part(self, step: int) -> torch.Tensor:
        """Return this rank's part of the loss of one batch."""
        stage, team, network = self.stage, self.session.team, self.session.part.network
        draw = np.random.default_rng((*self.key, step))
        operator = self._operator(int(draw.integers(0, self.session.samples.total)))
        # every rank draws all errors, so that numbers do not depend on ranks
        e = drawn(operator, stage.batch, draw)[team.rank :: team.size]
        if not len(e):
            return torch.zeros(())
        loss = left(network, operator, e, stage.iterations, stage.objective == "energy")
        return loss * (len(e) / stage.batch)

    def _operator(self, number: int) -> Stencil:
        """Return the matrix of a system, which is made once."""
        if number not in self._made:
            like = next(self.session.part.network.parameters())
            self._made[number] = stencil_of(self.session.data.system(number)).on(like)
        return self._made[number]
