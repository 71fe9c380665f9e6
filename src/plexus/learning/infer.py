"""Constants of the physics from frames of a kinetic run, by gradients through roll-outs of the reduced model.

The model starts from each frame's moments, with the flow solved from them, and its moments some steps later
are compared with the kinetic run's. The constants are searched as exp(q) times their guesses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from plexus.deck.train import Stage
from plexus.learning import losses
from plexus.learning.session import Session

Tensor = torch.Tensor
ITERATIONS = 20
"""Evaluations within one step of the quasi-Newton method."""


def infer(session: Session, stage: Stage) -> float:
    """Fit the constants that the stage guesses; the result is in ``position.inferred``. Collective."""
    guess: dict[str, float] = dict(stage.guess)  # type: ignore[arg-type]
    names = list(guess)
    q = torch.zeros(len(names), dtype=torch.float64, requires_grad=True)
    closure = session.trained()
    model = session.model(closure)
    session.closure.network.requires_grad_(False)
    search = torch.optim.LBFGS(
        [q], max_iter=ITERATIONS, line_search_fn="strong_wolfe", tolerance_change=1e-12
    )
    value = float("nan")

    def evaluate() -> Tensor:
        nonlocal value
        search.zero_grad()
        medium = {n: guess[n] * q[i].exp() for i, n in enumerate(names)}
        loss = _part(session, stage, model, medium)
        value = session.team.descend(loss, [q])
        return torch.tensor(value, dtype=torch.float64)

    with session.ctx.timers("training"):
        for _ in range(stage.steps):
            before = q.detach().clone()
            search.step(evaluate)
            session.position.total += 1
            session.note(stage, value, 0.0)
            if float((q.detach() - before).abs().max()) < 1e-6:
                break
    session.closure.network.requires_grad_(True)
    found = {n: guess[n] * float(q[i].detach().exp()) for i, n in enumerate(names)}
    session.position.inferred = found
    session.numbers({f"inferred {n}": v for n, v in found.items()})
    return value


def _part(session: Session, stage: Stage, model: Any, medium: dict[str, Tensor]) -> Tensor:
    """Return this rank's part of the mean square error of the moments at the end of the roll-outs."""
    frames = session.frames
    if not len(frames):
        return torch.zeros((), dtype=torch.float64)
    model.change(replace(model.medium, **medium))
    places = torch.arange(len(frames))
    ends = losses.RollOuts(model, frames, session.dt).from_moments(places, stage.horizon)
    return ends.moments().sum() / frames.total
