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
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.fields.keys import Key
from plexus.protocols import Split, StepResult
from plexus.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def divisor(linear: Tensor, dt: float, ratio: float = 1.0) -> Tensor:
    """Return 1 / ((1+2ω)/(1+ω) - dt L), the solution operator of one step with step ratio ω."""
    return 1 / ((1 + 2 * ratio) / (1 + ratio) - dt * linear)


def advance(
    now: Tensor,
    before: Tensor,
    n_now: Tensor,
    n_before: Tensor,
    inverse: Tensor,
    dt: float,
    ratio: float = 1.0,
) -> Tensor:
    """Return u_(n+1) from u_n, u_(n-1), N_n, N_(n-1) and the `divisor`; differentiable."""
    from plexus.stepping.combine import combine4

    w = ratio
    factors = (-w * w / (1 + w), -w * dt, 1 + w, (1 + w) * dt)
    return combine4(inverse, (before, n_before, now, n_now), factors)


def begin(system: Split, hat: Tensor, n_now: Tensor, t: float, dt: float) -> Tensor:
    """Return u_1 from u_0 and N_0 with order 2; differentiable. Collective."""
    linear = system.linear
    inverse = 1 / (1 - GAMMA * dt * linear)
    stage = (hat + GAMMA * dt * n_now) * inverse
    n_stage = system.explicit(stage, t + GAMMA * dt)
    rates = (1 - GAMMA) * linear * stage + DELTA * n_now + (1 - DELTA) * n_stage
    return (hat + dt * rates) * inverse


class Sbdf2Params(Params):
    """SBDF2 has no parameters."""


@register("stepper", "sbdf2", Sbdf2Params)
class Sbdf2:
    """Variable-step SBDF2."""

    needs = Split
    marches = True
    order = 2

    def __init__(self, params: Sbdf2Params, tolerance: float | None = None):
        self.tolerance = tolerance
        # (time, modes, modes of N) of the state that a step starts from, and of the one before
        self._now: tuple[float, Tensor, Tensor] | None = None
        self._before: tuple[float, Tensor, Tensor] | None = None
        self._unknown = ""
        self._inverse: tuple[tuple[float, float], Tensor, Tensor] | None = None

    def step(self, system: Split, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective."""
        name = self._unknown = system.unknown
        hat = state.values[name]
        # a step that is repeated with another length starts from the same state: N is known
        if self._now is None or self._now[0] != t:
            self._before, self._now = self._now, (t, hat, system.explicit(hat, t))
        n_now = self._now[2]
        # steps of equal length differ by the rounding of the times; the divisor is kept for all of them
        ratio = round(dt / (t - self._before[0]), 9) if self._before else math.inf
        if self._before is None or ratio > LARGEST:
            new = begin(system, hat, n_now, t, dt)
        else:
            _, before, n_before = self._before
            inverse = self._divisor(system.linear, dt, ratio, hat)
            new = advance(hat, before, n_now, n_before, inverse, dt, ratio)
        return StepResult({**state.values, name: new}, None, {})

    def _divisor(self, linear: Tensor, dt: float, ratio: float, hat: Tensor) -> Tensor:
        kept = self._inverse
        if kept is None or kept[0] != (dt, ratio) or kept[1] is not linear:
            # of the modes' shape, as compiled sums want it
            inverse = divisor(linear, dt, ratio).expand(hat.shape).contiguous()
            kept = self._inverse = ((dt, ratio), linear, inverse)
        return kept[2]

    def history(self) -> tuple[dict[str, Any], dict[Key, Tensor]]:
        """Return time, modes and N of the state before the current one."""
        if self._now is None:
            return {}, {}
        t, hat, n = self._now
        named = {"value": hat, "explicit": n}
        return {"t": t}, {Key("history", self._unknown, label): array for label, array in named.items()}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, Tensor]) -> None:
        """Continue from what `history` returned."""
        found = {key.label: array for key, array in arrays.items()}
        self._before = None
        self._now = (float(meta["t"]), found["value"], found["explicit"]) if "t" in meta else None
