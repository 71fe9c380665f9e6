"""Marching a split model without a deck, for training, tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from plexus.fields.state import State
from plexus.protocols import Split

Tensor = torch.Tensor


def march(
    model: Split,
    stepper: Any,
    hat: Tensor,
    t0: float,
    t1: float,
    dt: float,
    every: int = 1,
    callback: Callable[[float, Tensor], None] | None = None,
) -> Tensor:
    """Return the modes at ``t1`` after steps of ``dt`` from ``hat`` at ``t0``. Collective.

    The stepper, e.g. ``Sbdf2(Sbdf2Params())``, has taken no step yet; the last step is shortened to end at
    ``t1``. ``callback(t, hat)`` is called at ``t0``, after every so many steps, and at ``t1``.
    """
    state, steps = State({model.unknown: hat}, t0, 0), max(1, round((t1 - t0) / dt))
    if abs(steps * dt - (t1 - t0)) > 1e-9 * dt * steps:
        steps = int((t1 - t0) / dt) + 1
    for n in range(steps + 1):
        if callback is not None and (n % every == 0 or n == steps):
            callback(state.t, state.values[model.unknown])
        if n < steps:
            now, after = state.t, t1 if n == steps - 1 else t0 + (n + 1) * dt
            state = State(stepper.step(model, state, now, after - now).values, after, n + 1)
    return state.values[model.unknown]
