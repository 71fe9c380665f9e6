"""Roll-outs that gradients flow back through: the model and SBDF2 as pure functions.

A roll-out starts from a kinetic frame with the second-order starting step. Every eight steps form one segment
of which only the first state is kept; the backward pass computes the steps in between again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.utils.checkpoint import checkpoint

from plexus.models.suspension.passive import Memory
from plexus.protocols import Setting
from plexus.stepping.steppers.sbdf2 import advance, begin, divisor

Tensor = torch.Tensor
SPAN = 8
"""Steps of a segment."""


class March(NamedTuple):
    """State of a roll-out: modes now and a step before, explicit terms a step before, strain rates."""

    now: Tensor
    before: Tensor
    n_before: Tensor
    memory: Memory | None


class Trained:
    """A learned closure inside a model while it is trained: projected, but neither guarded nor counted."""

    guard = None

    def __init__(self, closure: Any):
        self.closure = closure

    def prepare(self, setting: Setting) -> None:
        """Do nothing: the closure is prepared already."""

    def evaluate(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the network's closure fields."""
        out: dict[str, Tensor] = self.closure.raw(fields)
        return out if self.closure.admissible else self.closure.project(fields, out)[0]


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


def start_from(
    model: Any, f: Tensor, e: Tensor | None = None, w: Tensor | None = None
) -> tuple[Tensor, Memory | None]:
    """Return modes and memory for moments f_0..f_K on the grid; without e the flow is solved for."""
    memory = None if e is None or w is None else Memory(e, w, 0.0, e, w, 0.0)
    return model.space.forward(f), memory


def rolled(
    model: Any,
    hat: Tensor,
    memory: Memory | None,
    dt: float,
    leads: Sequence[int],
    truncate: int | None = None,
) -> dict[int, tuple[Tensor, Memory | None]]:
    """Return modes and memory after each number of steps in ``leads``; differentiable.

    Gradients flow back through ``truncate`` steps at most.
    """
    inverse = divisor(model.linear, dt)
    state, done = _first(model, hat, memory, dt), 1
    found = {1: (state.now, state.memory)} if 1 in leads else {}
    for lead in sorted(set(leads) - {1}):
        while done < lead:
            if truncate and done % truncate == 0:
                state = _cut(state)
            ahead = min(SPAN, lead - done, *([truncate - done % truncate] if truncate else []))
            state = _segment(model, inverse, dt, state, done, ahead)
            done += ahead
        found[lead] = state.now, state.memory
    return found


def _first(model: Any, hat: Tensor, memory: Memory | None, dt: float) -> March:
    pure = _Pure(model, memory)
    n_now = pure.explicit(hat, 0.0)
    new = begin(pure, hat, n_now, 0.0, dt)  # type: ignore[arg-type]
    return March(new, hat, n_now, pure.memory)


def _segment(model: Any, inverse: Tensor, dt: float, state: March, done: int, steps: int) -> March:
    """Return the state some steps later, remembering only the first one for gradients."""

    def ahead(*parts: Any) -> March:
        now, before, n_before, memory = parts
        for n in range(done, done + steps):
            n_now, memory = model.rates(now, n * dt, memory)
            now, before, n_before = advance(now, before, n_now, n_before, inverse, dt), now, n_now
        return March(now, before, n_before, memory)

    if not torch.is_grad_enabled():
        return ahead(*state)
    made: March = checkpoint(ahead, *state, use_reentrant=False, preserve_rng_state=False)
    return made


def _cut(state: March) -> March:
    """Return the state without its history."""
    m = state.memory
    if m is not None:
        before = m.e_before.detach(), m.w_before.detach(), m.t_before
        m = Memory(m.e.detach(), m.w.detach(), m.t, *before)
    return March(state.now.detach(), state.before.detach(), state.n_before.detach(), m)
