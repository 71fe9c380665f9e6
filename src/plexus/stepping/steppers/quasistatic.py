"""Quasi-static loading: at every time a steady solve under the loads of that time.

F(u(t), t) = 0 with all time derivatives zero; each solve starts from the previous state, so
that loads, properties and boundary conditions that depend on t are followed step by step.
``guess: linear`` starts it where the last two states lead in a straight line,

    u* = u_n + (t_(n+1) - t_n)/(t_n - t_(n-1)) (u_n - u_(n-1)),

which saves Newton steps where loads go on as before. Where steps adapt, the first one after a load has turned
starts from u_n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field
from plexus.fields.state import State
from plexus.registry import register
from plexus.stepping.past import Past
from plexus.stepping.steppers.steady import Steady, SteadyParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from plexus.fields.keys import Key
    from plexus.protocols import Implicit, StepResult, Values

EXAMPLE: dict[str, Any] = {"type": "quasistatic"}


class QuasistaticParams(SteadyParams):
    """Parameters of `Quasistatic`."""

    guess: Literal["previous", "linear"] = Field(
        "previous", description="where a solve starts: the state before, or a line through the last two"
    )


@register("stepper", "quasistatic", QuasistaticParams)
class Quasistatic(Steady):
    """A steady solve at every new time."""

    marches = True

    def __init__(self, params: QuasistaticParams, tolerance: float | None = None):
        super().__init__(params, tolerance)
        self.past = Past(2) if params.guess == "linear" else None

    def step(self, system: Implicit, state: State, t: float, dt: float) -> StepResult:
        """Return the solution at ``t + dt``. Collective."""
        if self.past is None:
            return super().step(system, state, t, dt)
        self.past.remember(t, state.values)
        guess = State(self._guess(state.values, dt), state.t, state.step, state.internal)
        return super().step(system, guess, t, dt)

    def _guess(self, values: Values, dt: float) -> Values:
        """Return the values to which the last two states lead."""
        assert self.past is not None
        if self.past.known(list(values)) < 2:
            return values
        share = dt / (self.past.times[0] - self.past.times[1])
        now, before = self.past.values
        if any(a.shape != b[name].shape for name, a in values.items() for b in (now, before)):
            # a reduced model has grown since
            return values
        return {name: a + share * (now[name] - before[name]) for name, a in values.items()}

    def forget(self) -> None:
        """Begin anew: a load has changed its course."""
        self.past = None if self.past is None else Past(2)

    def history(self) -> tuple[dict[str, Any], dict[Key, np.ndarray]]:
        """Return the states that the guess is made of."""
        return ({}, {}) if self.past is None else self.past.state()

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, np.ndarray]) -> None:
        """Continue from what `history` returned."""
        if self.past is not None and "times" in meta:
            self.past.restore(meta, arrays)
