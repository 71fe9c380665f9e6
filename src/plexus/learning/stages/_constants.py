"""The objective of inference: roll-outs from all frames, as a function of the logarithms of constants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from plexus.learning.objective import Objective
from plexus.learning.stages._rollouts import RollOuts, model

if TYPE_CHECKING:
    from plexus.learning.session import Session

Tensor = torch.Tensor


class Constants(Objective):
    """Mean square error of the moments at the end of the roll-outs.

    Attributes
    ----------
    q : logarithms of the constants over their guesses.
    """

    def __init__(self, session: Session, stage: Any):
        self.session, self.guess, self.horizon = session, dict(stage.guess), stage.horizon
        self.q = torch.zeros(len(self.guess), dtype=torch.float64, requires_grad=True)
        self.model = model(session, session.trained())

    def part(self, step: int) -> Tensor:
        """Return this rank's part of the loss; all frames take part in every step."""
        samples = self.session.samples
        if not len(samples):
            return torch.zeros((), dtype=torch.float64)
        medium = {n: guess * self.q[i].exp() for i, (n, guess) in enumerate(self.guess.items())}
        self.model.change(replace(self.model.medium, **medium))
        ends = RollOuts(self.model, self.session).from_moments(torch.arange(len(samples)), self.horizon)
        return ends.moments().sum() / samples.total

    def found(self) -> dict[str, float]:
        """Return the constants."""
        q = self.q.detach()
        return {n: guess * float(q[i].exp()) for i, (n, guess) in enumerate(self.guess.items())}
