"""Steady state: 0 = F(u) with all time derivatives zero, solved once.

Every equation is solved in the order of the physics and sees the fields before it. The time stays
at ``start``; loads that depend on t are taken there. Internal variables are
advanced over a step of no length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.fields.arrays import copy
from plexus.protocols import Implicit, Instant, StepResult
from plexus.registry import register
from plexus.stepping.solves import Solves

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from plexus.fields.keys import Key
    from plexus.fields.state import State

EXAMPLE: dict[str, Any] = {"type": "steady"}


class SteadyParams(Params):
    """A steady solve has no parameters."""


@register("stepper", "steady", SteadyParams)
class Steady:
    """Solves every equation once without its time derivative."""

    needs = Implicit
    order = 0
    memory = "any"
    repeats = True
    marches = False
    """False: the run is one step at the start time."""

    def __init__(self, params: SteadyParams, tolerance: float | None = None):
        pass

    def step(self, system: Implicit, state: State, t: float, dt: float) -> StepResult:
        """Return the solution at ``t + dt``, started from the state. Collective."""
        solves = Solves(system, state)
        for values in solves.passes(state.values):
            values |= {name: copy(array) for name, array in values.items()}
            for name in (*system.evolving, *system.instantaneous):
                solves.solve(name, values, Instant(t + dt, dt))
        return StepResult(values, None, solves.iterations, solves.internal)

    def history(self) -> tuple[dict[str, Any], dict[Key, np.ndarray]]:
        """Return nothing: a step depends on the state only."""
        return {}, {}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, np.ndarray]) -> None:
        """Accept the empty history."""
