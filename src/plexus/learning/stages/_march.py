"""Roll-outs that gradients flow back through: the model and SBDF2 as pure functions.

A roll-out starts from a kinetic frame with the second-order starting step. Every eight steps form one segment
of which only the first state is kept; the backward pass computes the steps in between again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.utils.checkpoint import checkpoint

from plexus.models.suspension.passive import Memory
from plexus.stepping.steppers.sbdf2 import Formula, Level, begin

Tensor = torch.Tensor
SPAN = 8
"""Steps of a segment."""


class March(NamedTuple):
    """State of a roll-out: modes now, what is known of a step before, strain rates of earlier evaluations."""

    now: Tensor
    before: Level
    memory: Memory | None


@dataclass
class _Pure:
    """What the starting step of SBDF2 asks of a model, with the memory in the open."""

    model: Any
    memory: Memory | None

    @property
    def linear(self) -> Tensor:
        """L of the model."""
        return self.model.linear

    def explicit(self, hat: Tensor, t: float) -> Tensor:
        """Return N and keep the memory."""
        rates, self.memory = self.model.rates(hat, t, self.memory)
        return rates


class Reached(NamedTuple):
    """Where a roll-out is: modes, and strain rates of earlier evaluations, None before the first."""

    modes: Tensor
    memory: Memory | None = None


def start_from(model: Any, f: Tensor) -> Reached:
    """Return the start from moments f_0..f_K on the grid; the first flow is solved for."""
    return Reached(model.space.forward(f))


def start_within(model: Any, f: Tensor, e: Tensor, w: Tensor) -> Reached:
    """Return the start from moments in a flow of known strain rate and half vorticity."""
    return Reached(model.space.forward(f), Memory(e, w, 0.0, e, w, 0.0))


def rolled(
    model: Any, start: Reached, dt: float, leads: Sequence[int], truncate: int | None = None
) -> dict[int, Reached]:
    """Return where a roll-out is after each number of steps in ``leads``; differentiable.

    Gradients flow back through ``truncate`` steps at most.
    """
    formula = Formula.of(model.linear, dt)
    state, done = _first(model, start, dt), 1
    found = {1: Reached(state.now, state.memory)} if 1 in leads else {}
    for lead in sorted(set(leads) - {1}):
        while done < lead:
            if truncate and done % truncate == 0:
                state = _cut(state)
            ahead = min(SPAN, lead - done, *([truncate - done % truncate] if truncate else []))
            state = _segment(model, formula, state, done, ahead)
            done += ahead
        found[lead] = Reached(state.now, state.memory)
    return found


def _first(model: Any, start: Reached, dt: float) -> March:
    pure = _Pure(model, start.memory)
    level = Level(0.0, start.modes, pure.explicit(start.modes, 0.0))
    return March(begin(pure, level, dt), level, pure.memory)


def _segment(model: Any, formula: Formula, state: March, done: int, steps: int) -> March:
    """Return the state some steps later, remembering only the first one for gradients."""

    def ahead(now: Tensor, before: Level, memory: Memory | None) -> March:
        for n in range(done, done + steps):
            t = n * formula.dt
            rates, memory = model.rates(now, t, memory)
            level = Level(t, now, rates)
            now, before = formula.advance(level, before), level
        return March(now, before, memory)

    if not torch.is_grad_enabled():
        return ahead(*state)
    made: March = checkpoint(ahead, *state, use_reentrant=False, preserve_rng_state=False)
    return made


def _cut(state: March) -> March:
    """Return the state without its history."""
    m = state.memory
    if m is not None:
        earlier = m.e_before.detach(), m.w_before.detach(), m.t_before
        m = Memory(m.e.detach(), m.w.detach(), m.t, *earlier)
    before = state.before._replace(u=state.before.u.detach(), n=state.before.n.detach())
    return March(state.now.detach(), before, m)
