"""One-stage θ method for the implicit form F(t, u, u_t) = 0.

The stage u_s at t + θ dt satisfies F(t + θ dt, u_s, (u_s - u_n)/(θ dt)) = 0, and
u_(n+1) = u_n + (u_s - u_n)/θ. θ = 1 is backward Euler (order 1, damps every mode), θ = 1/2 the
implicit midpoint rule, which is Crank–Nicolson for linear problems (order 2, does not damp).

Local error: (θ - 1/2) dt² u'' for θ ≠ 1/2 and dt³ u'''/12 for θ = 1/2, with the derivatives from
divided differences of the last steps (E. Hairer, G. Wanner, Solving Ordinary Differential Equations
II, 1996, doi:10.1007/978-3-642-05221-7).

Internal variables z of evolving equations are advanced to the stage, by a step of θ dt from z_n, and go on to
the end as the unknowns do: z_(n+1) = z_n + (z_s - z_n)/θ. For rate equations z_t = g(u, z) that are solved by
backward Euler this is the θ method again, with its order; a plastic strain would leave its yield surface, so
that θ < 1 is refused for memory of that kind. Memory of equations without time derivative is advanced over
the whole step at its end. The error estimate looks at the unknowns only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.fields.arrays import copied
from plexus.fields.stacks import stacked
from plexus.protocols import Implicit, Instant, StepResult, Values
from plexus.registry import register
from plexus.stepping.past import Past, Remembering, evolving
from plexus.stepping.solves import Solves

if TYPE_CHECKING:
    import numpy as np

    from plexus.fields.state import State

EXAMPLE: dict[str, Any] = {"type": "theta", "theta": 0.5}


class ThetaParams(Params):
    """Parameters of the θ method."""

    theta: float = Field(
        1.0, ge=0.5, le=1.0, description="implicitness: 1 backward Euler, 0.5 Crank-Nicolson (midpoint)"
    )


@register("stepper", "theta", ThetaParams)
class Theta(Remembering):
    """The θ method; ``order`` is 2 for θ = 1/2, else 1."""

    needs = Implicit
    marches = True
    repeats = True

    def __init__(self, params: ThetaParams, tolerance: float | None = None):
        self.theta = params.theta
        self.memory: Literal["any", "smooth"] = "any" if params.theta == 1.0 else "smooth"
        self.tolerance = tolerance
        self.order = 2 if params.theta == 0.5 else 1
        self.past = Past(self.order + 1 if tolerance else 0)

    def step(self, system: Implicit, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective."""
        self.past.remember(t, state.values)
        stage_dt = self.theta * dt
        solves = Solves(system, state)
        for values in solves.passes(state.values):
            stage = self._staged(state.values, values)
            for name in system.evolving:
                parts = system.together.get(name, (name,))
                for part in parts:
                    start, end = state.values[part], copied(values[part])
                    system.prescribe(part, t + dt, end)
                    # prescribed values on the chord u_n + θ (g_(n+1) - u_n): a rate of second order too
                    stage[part] = start + self.theta * (end - start)
                at = Instant(t + stage_dt, stage_dt, 1 / stage_dt, stacked(parts, state.values) / -stage_dt)
                solves.solve(name, stage, at, held=True)
            values |= self._extrapolate(system, state, stage, t + dt)
            solves.extrapolate(self.theta)
            solves.finish(t + dt, dt, values)
        error = self._error(system, t + dt, dt, values)
        return StepResult(values, error, solves.iterations, solves.internal)

    def _staged(self, start: Values, end: Values) -> Values:
        """Return what is known of all unknowns at the stage: on the chords to the values of the last pass."""
        if self.theta == 1.0:
            return dict(end)
        return {n: a if end[n] is a else a + self.theta * (end[n] - a) for n, a in start.items()}

    def _extrapolate(
        self, system: Implicit, state: State, stage: dict[str, np.ndarray], t: float
    ) -> dict[str, np.ndarray]:
        """Return the values at the end of the step; prescribed values are those of the end time."""
        # u_n + (u_s - u_n)/1 would only add rounding
        if self.theta == 1.0:
            return stage
        values = dict(stage)
        for name in evolving(system):
            values[name] = state.values[name] + (stage[name] - state.values[name]) / self.theta
            system.prescribe(name, t, values[name])
        # what has no time derivative would swing about its value: it follows from the others at the end
        for name in system.together:
            if not system.algebraic.isdisjoint(system.together[name]):
                system.complete(name, values, t)
        return values

    def _error(self, system: Implicit, t: float, dt: float, values: dict[str, np.ndarray]) -> float | None:
        """Return the weighted error estimate; u''/2 and u'''/6 are the divided differences."""
        if self.tolerance is None:
            return None
        # dt³ u‴/12 = dt³/2 · u‴/6, and (θ - 1/2) dt² u″ = 2 (θ - 1/2) dt² · u″/2
        factor = dt**3 / 2 if self.order == 2 else 2 * (self.theta - 0.5) * dt**2
        return self.past.error(system, t, values, self.order + 1, factor, self.tolerance)
