"""Fitting roll-outs of the model to the kinetic run, through the differentiable solver.

The loss is the error of moments and strain rate after 1, 4, 16, ... steps, each roll-out's divided by that of
the classical closure from the same frame: 1 means as good as classical.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from plexus.deck.train import Stage
from plexus.errors import GuardError
from plexus.learning import losses
from plexus.learning.descent import draw
from plexus.learning.offline import Regression
from plexus.learning.session import Session

Tensor = torch.Tensor
WINDOWS = 4
"""Roll-outs per step, unless the deck says otherwise."""
FLOOR = 0.1
"""Share of the mean classical error below which a frame's own does not count: there is nothing to gain."""
LIMIT = 4.0
"""Largest mean square error of a moment: |f_m| <= c, which is 1. What exceeds it has become unstable."""
CLIP = 1.0
"""Largest norm of the gradient: a roll-out that meets a steep place must not throw the weights away."""


class Through:
    """The loss of roll-outs from frames drawn from all ranks'."""

    def __init__(self, session: Session, stage: Stage):
        self.session, self.stage = session, stage
        self.batch = stage.batch or WINDOWS
        self.model = session.model(session.trained())
        self.own = {lead: self._classical(lead) for lead in stage.unroll}
        self.anchor = (
            Regression(session, stage, session.chosen(), session.position.stage) if stage.anchor else None
        )
        self.level = 1.0
        if self.anchor:
            self.level = float(session.offline_error(session.closure.guard.fallback, session.frames,
                                                     session.chosen()).mean())  # fmt: skip

    def _classical(self, lead: int) -> tuple[Tensor, Tensor]:
        """Return the classical closure's errors by which those of each own frame are divided. Collective.

        Raises
        ------
        GuardError
            If some roll-out is unstable: nothing can be measured by it.
        """
        s = self.session
        model, count = s.model(Classical(s.closure)), len(s.frames)
        with torch.no_grad():
            pieces = [self._errors(model, places, lead) for places in torch.arange(count).split(WINDOWS)]
        worst = max((float(p[0].nan_to_num(nan=math.inf).max()) for p in pieces), default=0.0)
        if float(s.team.sum(torch.tensor(float(worst > LIMIT * model.order)))):
            raise GuardError(f"classical roll-outs of {lead} steps are unstable: lower time.step or unroll")
        found = []
        for part in ([p[0] for p in pieces], [p[1] for p in pieces]):
            errors = torch.cat(part) if part else torch.zeros(0, dtype=torch.float64)
            mean = float(s.team.sum(errors.sum())) / s.frames.total
            found.append(errors + FLOOR * mean)
            s.ctx.log.info(f"  classical mean square error after {lead} steps: {mean:.4g}")
        return found[0], found[1]

    def _errors(self, model: Any, places: Tensor, lead: int) -> tuple[Tensor, Tensor]:
        s = self.session
        model.change(_medium(model, s.frames, places))
        ends = losses.RollOuts(model, s.frames, s.dt, self.stage.truncate).from_flow(places, lead)
        moments = ends.moments()
        return moments, ends.strain() if self.stage.flow else torch.zeros_like(moments)

    def __call__(self, step: int) -> Tensor:
        """Return this rank's part of the loss of one batch."""
        stage, s = self.stage, self.session
        lead = stage.unroll[step * len(stage.unroll) // stage.steps]
        chosen = s.chosen()
        random = draw((s.plan.seed, 31 + s.position.stage, step))
        places = s.frames.places(chosen[torch.randint(len(chosen), (self.batch,), generator=random)])
        loss = torch.zeros((), dtype=torch.float64)
        if len(places):
            moments, flow = self._errors(self.model, places, lead)
            by_moments, by_flow = (own[places] for own in self.own[lead])
            loss = (moments / by_moments).sum() / self.batch
            if stage.flow:
                loss = loss + stage.flow * (flow / by_flow).sum() / self.batch
            loss = loss / (1 + stage.flow)
        if self.anchor is not None:
            loss = loss + stage.anchor / self.level * self.anchor(step)
        return loss


class Classical:
    """The guard's classical closure in place of the network."""

    guard = None

    def __init__(self, closure: Any):
        self.evaluate = closure.guard.fallback.evaluate

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
    return session.loop(stage, dict(session.closure.network.named_parameters()), loss, CLIP)
