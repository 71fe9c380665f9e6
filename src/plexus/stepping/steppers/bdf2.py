"""Two-step backward differentiation formula with variable steps, order 2, A-stable for equal steps.

With dt = t_(n+1) - t_n, k = t_n - t_(n-1) and ω = dt/k,

    u_t(t_(n+1)) ≈ [ (1+2ω)/(1+ω) u_(n+1) - (1+ω) u_n + ω²/(1+ω) u_(n-1) ] / dt.

The first step is backward Euler. Zero-stable for ω < 1+√2 (E. Hairer, S. Nørsett, G. Wanner, Solving
Ordinary Differential Equations I, 1993, doi:10.1007/978-3-540-78862-1, section III.5). Local error:
dt²(dt+k)(1+ω)/(1+2ω) u'''/6.

Internal variables are advanced from the start of each step over dt, by backward Euler where they follow rate
equations: of order 1, and so is what depends on them. The error estimate looks at the unknowns only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.fields.arrays import copied
from plexus.fields.stacks import stacked
from plexus.protocols import Implicit, Instant, StepResult
from plexus.registry import register
from plexus.stepping.past import Past, Remembering
from plexus.stepping.solves import Solves

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from plexus.fields.state import State

EXAMPLE: dict[str, Any] = {"type": "bdf2"}


class Bdf2Params(Params):
    """BDF2 has no parameters."""


@register("stepper", "bdf2", Bdf2Params)
class Bdf2(Remembering):
    """Variable-step BDF2."""

    needs = Implicit
    marches = True
    repeats = True
    order = 2
    memory = "any"

    def __init__(self, params: Bdf2Params, tolerance: float | None = None):
        self.tolerance = tolerance
        self.past = Past(3 if tolerance else 2)

    def step(self, system: Implicit, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective."""
        self.past.remember(t, state.values)
        solves = Solves(system, state)
        for values in solves.passes(state.values):
            for name in system.evolving:
                parts = system.together.get(name, (name,))
                shift, offset = self._rate(parts, dt)
                for part in parts:
                    values[part] = copied(values[part])
                solves.solve(name, values, Instant(t + dt, dt, shift, offset))
            solves.finish(t + dt, dt, values)
        error = self._error(system, t + dt, dt, values)
        return StepResult(values, error, solves.iterations, solves.internal)

    def _rate(self, parts: Sequence[str], dt: float) -> tuple[float, np.ndarray]:
        """Return shift and offset of u_t ≈ shift·u_(n+1) + offset, for unknowns that are solved together."""
        now = stacked(parts, self.past.values[0])
        # one backward Euler step of local error O(dt²) does not spoil the order of the whole
        if self.past.known(parts) < 2:
            return 1 / dt, now / -dt
        w = dt / (self.past.times[0] - self.past.times[1])
        before = stacked(parts, self.past.values[1])
        return (1 + 2 * w) / ((1 + w) * dt), (w * w / (1 + w) * before - (1 + w) * now) / dt

    def _error(self, system: Implicit, t: float, dt: float, values: dict[str, np.ndarray]) -> float | None:
        """Return the weighted error estimate; u'''/6 is the third divided difference."""
        if self.tolerance is None or len(self.past.times) < 3:
            return None
        k = self.past.times[0] - self.past.times[1]
        w = dt / k
        # the quotient is 1/(shift dt): the defect of the derivative, dt (dt+k) u‴/6, becomes an error of u
        factor = dt**2 * (dt + k) * (1 + w) / (1 + 2 * w)
        return self.past.error(system, t, values, 3, factor, self.tolerance)
