"""Marching a split model without a deck, for training, tests and benchmarks: u_n at t = n dt."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from plexus.fields.state import State
from plexus.protocols import Split, Stepper

if TYPE_CHECKING:
    import torch


def march(
    model: Split, stepper: Stepper, hat: torch.Tensor, dt: float, steps: int | None = None
) -> Iterator[State]:
    """Yield the state with the modes ``hat`` at t = 0, then that after each step. Collective.

    The stepper, e.g. ``Sbdf2(Sbdf2Params())``, has taken no step yet. Without ``steps`` there is no end.
    """
    state = State({model.unknown: hat}, 0.0, 0)
    yield state
    for n in count(1) if steps is None else range(1, steps + 1):
        state = State(stepper.step(model, state, state.t, dt).values, n * dt, n)
        yield state
