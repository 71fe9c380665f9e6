"""The objective of a training through conjugate gradients: batches of systems, drawn by seed and step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.learning.objective import Objective
from plexus.solvers.multigrid import objectives
from plexus.solvers.multigrid.trials import hierarchy

if TYPE_CHECKING:
    from plexus.learning.session import Session

Tensor = torch.Tensor
COLUMNS = 2
"""Right-hand sides of a system in one step."""


class Solves(Objective):
    """Mean over a batch of systems; system n of a batch belongs to rank n modulo the number of ranks."""

    def __init__(self, session: Session, stage: Any):
        self.session, self.stage = session, stage
        self.key = session.plan.seed, session.position.stage
        self._made: dict[int, objectives.System] = {}

    def part(self, step: int) -> Tensor:
        """Return this rank's part of the loss of one batch."""
        stage, team = self.stage, self.session.team
        draw = np.random.default_rng((*self.key, step))
        numbers = draw.integers(0, self.session.samples.total, stage.batch)
        rtol = float(draw.choice(stage.tolerances))
        total = torch.zeros((), dtype=torch.float64)
        for place, number in enumerate(numbers):
            # every rank draws for every system, so that numbers do not depend on ranks
            mixed = torch.from_numpy(draw.standard_normal((8, COLUMNS)))
            if place % team.size == team.rank:
                total = total + self._one(int(number), mixed, rtol) / stage.batch
        return total

    def _one(self, number: int, mixed: Tensor, rtol: float) -> Tensor:
        """Return the loss of one system."""
        system, stage, net = self._system(number), self.stage, self.session.part.network.train()
        exact = system.exact @ mixed
        if stage.objective == "count":
            return objectives.count(system, net, stage.iterations, exact, rtol)
        return objectives.reduction(system, net, stage.iterations, exact)

    def _system(self, number: int) -> objectives.System:
        """Return a system with its hierarchy and solutions, which are made once."""
        if number not in self._made:
            found = self.session.data.system(number)
            levels = hierarchy(found, self.session.part.settings())
            self._made[number] = objectives.made(levels, np.random.default_rng((*self.key, number)))
        return self._made[number]


def share_range(session: Session) -> None:
    """Widen the range of the features to that of all ranks. Collective."""
    comm, net = session.team.comm, session.part.network
    if comm is not None:
        net.low.copy_(torch.from_numpy(np.min(comm.allgather(net.low.numpy()), axis=0)))
        net.high.copy_(torch.from_numpy(np.max(comm.allgather(net.high.numpy()), axis=0)))
