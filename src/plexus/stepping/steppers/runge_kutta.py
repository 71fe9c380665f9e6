"""Explicit Runge-Kutta methods for u_t = f(u, t): order 3 and 5 with an embedded error estimate, and order 4.

    k_i = f(u + dt Σ_(j<i) a_ij k_j, t + c_i dt),   u' = u + dt Σ_i b_i k_i,   e = dt Σ_i (b_i - b̂_i) k_i

``bogacki_shampine`` 3(2): P. Bogacki, L. Shampine, Appl. Math. Lett. 2 (1989) 321-325,
doi:10.1016/0893-9659(89)90079-7. ``dormand_prince`` 5(4): J. Dormand, P. Prince, J. Comput. Appl. Math. 6
(1980) 19-26, doi:10.1016/0771-050X(80)90013-3. Both end a step with f at its end, which is the first stage of
the next step: 3 and 6 evaluations per step. ``classical`` is the method of Kutta with 4 evaluations and no
estimate (W. Kutta, Z. Math. Phys. 46 (1901) 435-453). The error of a step is the largest over the unknowns,
and in an ensemble over the members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.errors import InputError
from plexus.protocols import Array, Explicit, StepResult, Values
from plexus.registry import register
from plexus.stepping.limit import require_stable

if TYPE_CHECKING:
    from plexus.fields.keys import Key
    from plexus.fields.state import State

EXAMPLE: dict[str, Any] = {"type": "runge_kutta", "method": "dormand_prince"}


@dataclass(frozen=True)
class Tableau:
    """Order, rows a_ij of the stages behind the first, and b_i - b̂_i of the estimate.

    With an estimate the last row is that of u' itself, else ``weights`` are its b_i. ``interval`` is the
    length of the real interval of absolute stability.
    """

    order: int
    interval: float
    rows: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    estimate: tuple[float, ...] = ()

    @property
    def times(self) -> tuple[float, ...]:
        """c_i of the stages behind the first: c_i = Σ_j a_ij."""
        return tuple(sum(row) for row in self.rows)


_BS = (2 / 9, 1 / 3, 4 / 9)
_DP = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
TABLEAUS = {
    "bogacki_shampine": Tableau(
        3, 2.51, ((1 / 2,), (0.0, 3 / 4), _BS), _BS, (-5 / 72, 1 / 12, 1 / 9, -1 / 8)
    ),
    "classical": Tableau(4, 2.78, ((1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
    "dormand_prince": Tableau(
        5,
        3.3,
        (
            (1 / 5,),
            (3 / 40, 9 / 40),
            (44 / 45, -56 / 15, 32 / 9),
            (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
            (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
            _DP,
        ),
        _DP,
        (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40),
    ),
}


class RungeKuttaParams(Params):
    """Parameters of `RungeKutta`."""

    method: Literal["bogacki_shampine", "classical", "dormand_prince"] = Field(
        "dormand_prince", description="order 3 or 5 with error estimate, or order 4 for fixed steps"
    )


@register("stepper", "runge_kutta", RungeKuttaParams)
class RungeKutta:
    """One explicit step per call; no memory but the last stage, which can be computed anew."""

    needs = Explicit
    marches = True

    def __init__(self, params: RungeKuttaParams, tolerance: float | None = None):
        self.tableau, self.tolerance = TABLEAUS[params.method], tolerance
        if tolerance is not None and not self.tableau.estimate:
            raise InputError(f"time: {params.method} has no error estimate; use dormand_prince")
        # the estimate is that of the lower order, by which the controller chooses the step
        self.order = self.tableau.order - (1 if tolerance is not None else 0)
        self._known: list[tuple[Values, Values]] = []

    def step(self, system: Explicit, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective.

        Raises
        ------
        SolveError
            If the step is beyond the stable limit of rates with waves.
        """
        # Courant number one is where Euler's method ends, whose interval is 2
        require_stable(system, state.values, t, dt, self.tableau.interval / 2)
        stages = [self._first(system, state.values, t)]
        values = state.values
        for row, c in zip(self.tableau.rows, self.tableau.times, strict=True):
            values = self._moved(system, state.values, stages, row, dt)
            stages.append(system.rates(values, t + c * dt))
        if self.tableau.estimate:
            # values of this state and of the next one are dictionaries that nobody changes
            self._known = [(state.values, stages[0]), (values, stages[-1])]
        else:
            values = self._moved(system, state.values, stages, self.tableau.weights, dt)
        return StepResult(values, self._error(system, values, stages, dt))

    def _first(self, system: Explicit, values: Values, t: float) -> Values:
        """Return f at the start of the step; known from the step before, or from one that was rejected."""
        known = next((rates for at, rates in self._known if at is values), None)
        return system.rates(values, t) if known is None else known

    def _moved(
        self, system: Explicit, start: Values, stages: Sequence[Values], row: Sequence[float], dt: float
    ) -> Values:
        """Return start + dt Σ a_j k_j."""
        return {**start, **{name: start[name] + _sum(name, stages, row, dt) for name in system.evolving}}

    def _error(self, system: Explicit, values: Values, stages: Sequence[Values], dt: float) -> float | None:
        """Return the weighted norm of the estimate, the largest over the unknowns. Collective."""
        if self.tolerance is None:
            return None
        errors = []
        for name in system.evolving:
            size = system.rms(name, _sum(name, stages, self.tableau.estimate, dt))
            # one scale per unknown: near zeros a pointwise weight would demand the impossible
            scale = self.tolerance * system.largest(name, values[name])
            errors.append(size / scale if scale != 0 else 0.0)
        return max(errors)

    def forget(self) -> None:
        """Begin anew: the last stage belongs to the other side of a jump."""
        self._known = []

    def history(self) -> tuple[dict[str, Any], dict[Key, Array]]:
        """Return nothing: a step depends on the state only."""
        return {}, {}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, Array]) -> None:
        """Accept the empty history."""


def _sum(name: str, stages: Sequence[Values], row: Sequence[float], dt: float) -> Array:
    """Return dt Σ a_j k_j of one unknown."""
    terms = [(dt * a, k[name]) for a, k in zip(row, stages, strict=False) if a]
    total = terms[0][0] * terms[0][1]
    for a, k in terms[1:]:
        total += a * k
    return total
