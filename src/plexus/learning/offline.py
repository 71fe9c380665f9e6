"""Fitting the closed moment on frames: once on all of them, or round by round on those that need it most.

The active way starts from a few frames drawn at random. After each round every frame of every case is judged
by the network's relative error, and the worst unused ones are added; drawing them at random is the control.
"""

from __future__ import annotations

import torch

from plexus.deck.train import Stage
from plexus.learning import losses
from plexus.learning.descent import draw
from plexus.learning.frames import Frames
from plexus.learning.session import Session
from plexus.learning.team import Team

Tensor = torch.Tensor
POINTS, FIELDS = 4096, 4
"""Points per step, or whole fields where loose points will not do, unless the deck says otherwise."""


class Regression:
    """The offline loss of batches drawn from the chosen frames of all ranks; relative mean square error.

    Parameters
    ----------
    chosen:
        Numbers of the frames.
    key:
        Tells the random numbers of this regression from those of others.
    """

    def __init__(self, session: Session, stage: Stage, chosen: Tensor, key: int):
        self.session, self.stage, self.chosen = session, stage, chosen
        self.seed = (session.plan.seed, key)
        usual = POINTS if session.pointwise else FIELDS
        # beside roll-outs the batch counts these
        self.batch = usual if stage.batch is None or stage.mode == "unrolled" else stage.batch
        self.weights = self._weights(session.team, session.frames)

    def _weights(self, team: Team, frames: Frames) -> Tensor:
        """Return one over the mean square by which each own frame's errors are divided. Collective."""
        mean = losses.mean_size(team, frames, self.chosen)
        own = losses.sizes(frames)
        if not self.stage.balance:
            return torch.full_like(own, 1 / mean)
        # frames of a nearly isotropic state have nothing to close and must not outweigh the others
        return 1 / (own + 0.01 * mean)

    def __call__(self, step: int) -> Tensor:
        """Return this rank's part of the loss of one batch."""
        random = draw((*self.seed, step))
        frames, session = self.session.frames, self.session
        picked = self.chosen[torch.randint(len(self.chosen), (self.batch,), generator=random)]
        if session.pointwise:
            cells = torch.randint(
                session.space.cells[0] * session.space.cells[1], (self.batch,), generator=random
            )
            fields, target, place = frames.points(picked, cells)
        else:
            fields, target, place = frames.whole(picked)
        if not len(place):
            return torch.zeros(())
        if self.stage.noise:
            fields = losses.noisy(fields, self.stage.noise, draw((*self.seed, step, session.team.rank)))
        wrong = losses.errors(session.closure, fields, target)
        return (wrong.flatten(1).mean(1) if wrong.dim() > 1 else wrong).mul(
            self.weights[place]
        ).sum() / self.batch


def offline(session: Session, stage: Stage) -> float:
    """Fit on the chosen frames. Collective."""
    loss = Regression(session, stage, session.chosen(), session.position.stage)
    return session.loop(stage, dict(session.closure.network.named_parameters()), loss)


def active(session: Session, stage: Stage) -> float:
    """Fit on a growing set of frames. Collective."""
    p, loss = session.position, float("nan")
    if p.chosen is None:
        p.chosen = _drawn(session, stage, list(range(session.frames.total)), 0)
    while p.round < stage.rounds:
        session.ctx.log.info(f"  round {p.round + 1}: {len(p.chosen)} frames")
        fit = Regression(session, stage, session.chosen(), 1000 * (p.stage + 1) + p.round)
        loss = session.loop(stage, dict(session.closure.network.named_parameters()), fit)
        _judge(session, stage)
        p.round += 1
    p.round = 0
    return loss


def _judge(session: Session, stage: Stage) -> None:
    """Judge every frame, note the worst, and choose those that are added. Collective."""
    p = session.position
    assert p.chosen is not None
    everyone = torch.arange(session.frames.total)
    errors = session.offline_error(session.trained(), session.frames, everyone)
    p.worst.append(float(errors.max()))
    told = {"worst frame": p.worst[-1], "mean": float(errors.mean())}
    session.numbers(told)
    if p.round == stage.rounds - 1:
        return
    unused = sorted(set(range(session.frames.total)) - set(p.chosen))
    if stage.choose == "random":
        p.chosen += _drawn(session, stage, unused, p.round + 1)
    else:
        p.chosen += sorted(unused, key=lambda n: -float(errors[n]))[: stage.acquire]


def _drawn(session: Session, stage: Stage, among: list[int], key: int) -> list[int]:
    """Return frames drawn at random."""
    order = torch.randperm(len(among), generator=draw((session.plan.seed, 77, key)))
    return [among[int(n)] for n in order[: stage.acquire]]
