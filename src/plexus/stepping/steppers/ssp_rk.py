"""Strong-stability-preserving Runge-Kutta methods for explicit models, of order 2 or 3, with error estimate.

    order 2:  a = u + dt f(u),   u' = (u + a + dt f(a))/2
    order 3:  a = u + dt f(u),   b = (3u + a + dt f(a))/4,   u' = (u + 2b + 2dt f(b))/3

A step is a convex combination of Euler steps: a bound that one Euler step of length dt keeps, e.g. on total
variation or extrema, holds for the whole. A step beyond Courant number one has no such bound and is refused.
The estimate is the distance to the method of one order less with the same stages, Euler or order 2. S.
Gottlieb, C.-W. Shu, E. Tadmor, SIAM Rev. 43 (2001) 89-112, doi:10.1137/S003614450036757X.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import Explicit, StepResult, Values
from plexus.registry import register
from plexus.stepping.limit import require_stable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexus.fields.state import State

EXAMPLE: dict[str, Any] = {"type": "ssp_rk", "order": 3}


class SspRkParams(Params):
    """Parameters of `SspRk`."""

    order: Literal[2, 3] = Field(3, description="order, and number of stages")


@register("stepper", "ssp_rk", SspRkParams)
class SspRk:
    """SSPRK(2,2) and SSPRK(3,3)."""

    needs = Explicit
    marches = True

    def __init__(self, params: SspRkParams, tolerance: float | None = None):
        self.order: int = params.order
        self.tolerance = tolerance

    def step(self, system: Explicit, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective.

        Raises
        ------
        SolveError
            If the step is beyond Courant number one.
        """
        require_stable(system, state.values, t, dt)
        u = {name: state.values[name] for name in system.evolving}
        a = _euler(system, u, t, dt)
        second = _mixed(u, 1 / 2, _euler(system, a, t + dt, dt), 1 / 2)
        if self.order == 2:
            return StepResult({**state.values, **second}, self._error(system, second, a))
        b = _mixed(u, 1 / 2, second, 1 / 2)
        new = _mixed(u, 1 / 3, _euler(system, b, t + dt / 2, dt), 2 / 3)
        return StepResult({**state.values, **new}, self._error(system, new, second))

    def _error(self, system: Explicit, new: Values, lower: Values) -> float | None:
        """Return the weighted norm of the distance to the lower order, the largest over the unknowns."""
        if self.tolerance is None:
            return None
        found = []
        for name, u in new.items():
            scale = self.tolerance * system.largest(name, u)
            found.append(system.rms(name, u - lower[name]) / scale if scale > 0 else 0.0)
        return max(found)

    def history(self) -> tuple[dict[str, Any], Values]:
        """Return nothing: a step needs no earlier state."""
        return {}, {}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Accept the empty memory."""


def _euler(system: Explicit, u: Values, t: float, dt: float) -> Values:
    """Return u + dt f(u, t). Collective."""
    rates = system.rates(u, t)
    return {name: value + dt * rates[name] for name, value in u.items()}


def _mixed(u: Values, a: float, v: Values, b: float) -> Values:
    """Return a u + b v."""
    return {name: a * value + b * v[name] for name, value in u.items()}
