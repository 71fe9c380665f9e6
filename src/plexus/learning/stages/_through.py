"""The objective of unrolled training: errors of roll-outs over those of the classical closure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from plexus.errors import GuardError
from plexus.learning.draws import draw
from plexus.learning.judging import by_sample
from plexus.learning.objective import Objective
from plexus.learning.stages._regression import Regression
from plexus.learning.stages._rollouts import RollOuts, model
from plexus.learning.stages.fit import FitParams

if TYPE_CHECKING:
    from plexus.learning.session import Session

Tensor = torch.Tensor
WINDOWS = 4
"""Roll-outs per step, unless the deck says otherwise."""
FLOOR = 0.1
"""Share of the mean classical error below which a frame's own does not count: there is nothing to gain."""
LIMIT = 4.0
"""Largest mean square error of a moment: |f_m| <= c, which is 1. What exceeds it has become unstable."""


class Through(Objective):
    """The loss of roll-outs from samples drawn from all ranks'."""

    def __init__(self, session: Session, stage: Any):
        self.session, self.stage = session, stage
        self.batch = stage.batch or WINDOWS
        self.model = model(session, session.trained())
        self.own = {lead: self._classical(lead) for lead in stage.unroll}
        self.anchor, self.level = None, 1.0
        if stage.anchor:
            usual = FitParams(optimizer=stage.optimizer)
            self.anchor = Regression(session, usual, session.chosen(), session.position.stage)
            classical = by_sample(session, session.part.guard.fallback, session.chosen())
            self.level = float(classical.mean())

    def _classical(self, lead: int) -> tuple[Tensor, Tensor]:
        """Return the classical closure's errors by which those of each own frame are divided. Collective.

        Raises
        ------
        GuardError
            If some roll-out is unstable: nothing can be measured by it.
        """
        s = self.session
        closed, count = model(s, Classical(s.part)), len(s.samples)
        with torch.no_grad():
            pieces = [self._errors(closed, places, lead) for places in torch.arange(count).split(WINDOWS)]
        worst = max((float(p[0].nan_to_num(nan=math.inf).max()) for p in pieces), default=0.0)
        if float(s.team.sum(torch.tensor(float(worst > LIMIT * closed.order)))):
            raise GuardError(f"classical roll-outs of {lead} steps are unstable: lower time.step or unroll")
        found = []
        for part in ([p[0] for p in pieces], [p[1] for p in pieces]):
            errors = torch.cat(part) if part else torch.zeros(0, dtype=torch.float64)
            mean = float(s.team.sum(errors.sum())) / s.samples.total
            found.append(errors + FLOOR * mean)
            s.ctx.log.info(f"  classical mean square error after {lead} steps: {mean:.4g}")
        return found[0], found[1]

    def _errors(self, closed: Any, places: Tensor, lead: int) -> tuple[Tensor, Tensor]:
        inputs = self.session.samples.inputs
        given = {name: inputs[name][places][:, :1, :1] for name in ("alpha", "zeta")}
        closed.change(replace(closed.medium, **given))
        ends = RollOuts(closed, self.session, self.stage.truncate).from_flow(places, lead)
        moments = ends.moments()
        return moments, ends.strain() if self.stage.flow else torch.zeros_like(moments)

    def part(self, step: int) -> Tensor:
        """Return this rank's part of the loss of one batch."""
        stage, s = self.stage, self.session
        lead = stage.unroll[step * len(stage.unroll) // stage.steps]
        chosen = s.chosen()
        random = draw((s.plan.seed, 31 + s.position.stage, step))
        places = s.samples.places(chosen[torch.randint(len(chosen), (self.batch,), generator=random)])
        loss = torch.zeros((), dtype=torch.float64)
        if len(places):
            moments, flow = self._errors(self.model, places, lead)
            by_moments, by_flow = (own[places] for own in self.own[lead])
            loss = (moments / by_moments).sum() / self.batch
            if stage.flow:
                loss = loss + stage.flow * (flow / by_flow).sum() / self.batch
            loss = loss / (1 + stage.flow)
        if self.anchor is not None:
            loss = loss + stage.anchor / self.level * self.anchor.part(step)
        return loss


class Classical:
    """The guard's classical closure in place of the network."""

    guard = None

    def __init__(self, closure: Any):
        self.evaluate = closure.guard.fallback.evaluate

    def prepare(self, setting: Any) -> None:
        """Do nothing: it is prepared already."""
