"""Semi-implicit BDF2 with variable steps for spectral models: L implicit, N extrapolated, order 2.

With dt = t_(n+1) - t_n, k = t_n - t_(n-1), ω = dt/k and N_n = N(u_n, t_n),

    (1+2ω)/(1+ω) u_(n+1) - (1+ω) u_n + ω²/(1+ω) u_(n-1) = dt [ (1+ω) N_n - ω N_(n-1) + L u_(n+1) ].

One evaluation of N per step. The first step, and any that is more than 1+√2 times as long as the one before,
is the L-stable IMEX Runge-Kutta method of order 2 with two evaluations (U. Ascher, S. Ruuth, R. Spiteri,
Appl. Numer. Math. 25 (1997) 151-167, doi:10.1016/S0168-9274(97)00056-1). Variable steps: D. Wang, S. Ruuth,
J. Comput. Math. 26 (2008) 838-855.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from plexus.deck.params import Params
from plexus.fields.keys import Key
from plexus.protocols import Split, StepResult
from plexus.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from plexus.fields.state import State

    Tensor = torch.Tensor

EXAMPLE: dict[str, Any] = {"type": "sbdf2"}
GAMMA = 1 - 1 / math.sqrt(2)
DELTA = 1 - 1 / (2 * GAMMA)
"""Diagonal and explicit weight of the starting method; this γ makes it L-stable."""
LARGEST = 1 + math.sqrt(2)
"""Step ratio up to which the formula is zero-stable. A longer step starts afresh, e.g. after one that an
output time has cut: N extrapolated over many times the distance of its values magnifies what is rough."""


class Level(NamedTuple):
    """A time with the modes u of the state there and the modes n of its explicit terms N."""

    t: float
    u: Tensor
    n: Tensor


class Formula(NamedTuple):
    """The formula for steps of one length dt and one ratio ω to the step before."""

    dt: float
    ratio: float
    inverse: Tensor
    """1 / ((1+2ω)/(1+ω) - dt L), the solution operator of a step."""

    @classmethod
    def of(cls, linear: Tensor, dt: float, ratio: float = 1.0) -> Formula:
        """Return the formula for a model's L."""
        return cls(dt, ratio, 1 / ((1 + 2 * ratio) / (1 + ratio) - dt * linear))

    def advance(self, now: Level, before: Level) -> Tensor:
        """Return u_(n+1) from the last two levels; differentiable."""
        from plexus.stepping.combine import combine4

        w, dt = self.ratio, self.dt
        factors = (-w * w / (1 + w), -w * dt, 1 + w, (1 + w) * dt)
        return combine4(self.inverse, (before.u, before.n, now.u, now.n), factors)


class Rates(Protocol):
    """What the starting step asks of a model."""

    @property
    def linear(self) -> Tensor:
        """L, real and <= 0, broadcasting to the modes."""

    def explicit(self, hat: Tensor, t: float) -> Tensor:
        """Return the modes of N(u, t), dealiased. Collective."""


def begin(system: Rates, now: Level, dt: float) -> Tensor:
    """Return u_1 from the first level with order 2; differentiable. Collective."""
    linear = system.linear
    inverse = 1 / (1 - GAMMA * dt * linear)
    stage = (now.u + GAMMA * dt * now.n) * inverse
    n_stage = system.explicit(stage, now.t + GAMMA * dt)
    rates = (1 - GAMMA) * linear * stage + DELTA * now.n + (1 - DELTA) * n_stage
    return (now.u + dt * rates) * inverse


class Sbdf2Params(Params):
    """SBDF2 has no parameters."""


@register("stepper", "sbdf2", Sbdf2Params)
class Sbdf2:
    """Variable-step SBDF2."""

    needs: ClassVar[type] = Split
    marches = True
    order = 2

    def __init__(self, params: Sbdf2Params, tolerance: float | None = None):
        self.tolerance = tolerance
        # the state that a step starts from, and the one before
        self._now: Level | None = None
        self._before: Level | None = None
        self._unknown = ""
        # the L that a formula was made for, with the formula
        self._kept: tuple[Tensor, Formula] | None = None

    def step(self, system: Split, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective."""
        name = self._unknown = system.unknown
        hat = state.values[name]
        # a step that is repeated with another length starts from the same state: N is known
        if self._now is None or self._now.t != t:
            self._before, self._now = self._now, Level(t, hat, system.explicit(hat, t))
        now, before = self._now, self._before
        # steps of equal length differ by the rounding of the times; the formula is kept for all of them
        ratio = round(dt / (t - before.t), 9) if before else math.inf
        if before is None or ratio > LARGEST:
            new = begin(system, now, dt)
        else:
            new = self._formula(system.linear, dt, ratio, hat.shape).advance(now, before)
        return StepResult({**state.values, name: new}, None, {})

    def _formula(self, linear: Tensor, dt: float, ratio: float, shape: Sequence[int]) -> Formula:
        kept = self._kept
        if kept is None or kept[0] is not linear or (kept[1].dt, kept[1].ratio) != (dt, ratio):
            formula = Formula.of(linear, dt, ratio)
            # of the modes' shape, as compiled sums want it
            inverse = formula.inverse.expand(shape).contiguous()
            kept = self._kept = linear, formula._replace(inverse=inverse)
        return kept[1]

    def forget(self) -> None:
        """Begin anew: the next step is the first of a march."""
        self._now = self._before = None

    def history(self) -> tuple[dict[str, Any], dict[Key, Tensor]]:
        """Return time, modes and N of the state before the current one."""
        if self._now is None:
            return {}, {}
        now, named = self._now, {"value": self._now.u, "explicit": self._now.n}
        return {"t": now.t}, {Key("history", self._unknown, label): array for label, array in named.items()}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, Tensor]) -> None:
        """Continue from what `history` returned."""
        found = {key.label: array for key, array in arrays.items()}
        self._before = None
        # another model has another unknown, of which nothing is remembered
        self._now = Level(float(meta["t"]), found["value"], found["explicit"]) if found else None
