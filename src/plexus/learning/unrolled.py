"""Fitting roll-outs of the model to the kinetic run, through the differentiable solver.

The loss is the error of moments and strain rate after 1, 4, 16, ... steps, divided by that of the classical
closure from the same frames: 1 means as good as classical.
"""

from __future__ import annotations

from typing import Any

import torch

from plexus.deck.train import Stage
from plexus.learning import losses
from plexus.learning.descent import draw
from plexus.learning.offline import Regression
from plexus.learning.session import Session

Tensor = torch.Tensor
WINDOWS = 4
"""Roll-outs per step, unless the deck says otherwise."""
JUDGED = 16
"""Frames from which the classical closure is rolled out for the scale."""
CLIP = 1.0
"""Largest norm of the gradient: a roll-out that meets a steep place must not throw the weights away."""


class Through:
    """The loss of roll-outs from frames drawn from all ranks'."""

    def __init__(self, session: Session, stage: Stage):
        self.session, self.stage = session, stage
        self.batch = stage.batch if "batch" in stage.model_fields_set else WINDOWS
        self.model = session.model(session.trained())
        self.scales = {lead: self._classical(lead) for lead in stage.unroll}
        self.anchor = (
            Regression(session, stage, session.chosen(), session.position.stage) if stage.anchor else None
        )
        self.level = 1.0
        if self.anchor:
            self.level = float(session.offline_error(session.closure.guard.fallback, session.frames,
                                                     session.chosen()).mean())  # fmt: skip

    def _classical(self, lead: int) -> tuple[float, float]:
        """Return the mean squares of the classical closure's errors after a roll-out. Collective."""
        s = self.session
        model = s.model(Classical(s.closure))
        numbers = torch.arange(0, s.frames.total, max(1, s.frames.total // JUDGED))
        found = []
        for scale in ((1.0, float("inf")), (float("inf"), 1.0)):
            part = self._part(model, numbers, (lead,), scale)
            found.append(float(s.team.sum(part.detach())) / len(numbers))
        return found[0], found[1]

    def _part(
        self, model: Any, numbers: Tensor, leads: tuple[int, ...], scale: tuple[float, float]
    ) -> Tensor:
        s = self.session
        places = s.frames.places(numbers)
        if not len(places):
            return torch.zeros((), dtype=torch.float64)
        with torch.set_grad_enabled(model.closure.learns):
            media = _medium(model, s.frames, places)
            model.change(media)
            return losses.of_rollouts(model, s.frames, places, leads, s.dt, scale, self.stage.truncate)

    def __call__(self, step: int) -> Tensor:
        """Return this rank's part of the loss of one batch."""
        stage, s = self.stage, self.session
        lead = stage.unroll[step * len(stage.unroll) // stage.steps]
        chosen = s.chosen()
        random = draw((s.plan.seed, 31 + s.position.stage, step))
        picked = chosen[torch.randint(len(chosen), (self.batch,), generator=random)]
        moments, flow = self.scales[lead]
        scale = moments * self.batch, flow * self.batch / stage.flow if stage.flow else float("inf")
        loss = self._part(self.model, picked, (lead,), scale)
        if self.anchor is not None:
            loss = loss + stage.anchor / self.level * self.anchor(step)
        return loss


class Classical:
    """The guard's classical closure in place of the network."""

    learns = False
    guard = None

    def __init__(self, closure: Any):
        self.closes, self.evaluate = closure.closes, closure.guard.fallback.evaluate

    def prepare(self, setting: Any) -> None:
        """Do nothing: it is prepared already."""


def _medium(model: Any, frames: Any, places: Tensor) -> Any:
    """Return the constants of some frames' cases, (B, 1, 1)."""
    from dataclasses import replace

    given = {name: frames.fields[name][places][:, :1, :1] for name in ("alpha", "zeta")}
    return replace(model.medium, **given)


def unrolled(session: Session, stage: Stage) -> float:
    """Fit roll-outs. Collective."""
    with session.ctx.timers("training"):
        loss = Through(session, stage)
    for lead, (moments, flow) in loss.scales.items():
        session.numbers({f"classical error after {lead} steps: moments": moments, "strain rate": flow})
    return session.loop(stage, dict(session.closure.network.named_parameters()), loss, CLIP)
