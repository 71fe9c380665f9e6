"""What steppers for u_t = L u + N(u, t) ask of a model: L diagonal and stiff, N explicit.

L is a real tensor that broadcasts to the modes of the unknown, so that functions of dt·L are taken mode by
mode and an implicit stage is one division. It is <= 0 but for modes that grow, where dt·L stays below 1. The
functions of the exponential integrators are

    φ_1(z) = (e^z - 1)/z,   φ_(j+1)(z) = (φ_j(z) - 1/j!)/z.

The recursion loses digits where |z| < 1; there the series Σ z^i/(i+j)! is summed instead, so that all digits
are right for every z < 1 (A.-K. Kassam, L. N. Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214-1233,
doi:10.1137/S1064827502410633, reach the same with contour integrals).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.protocols import Split, StepResult

if TYPE_CHECKING:
    import torch

    from plexus.fields.keys import Key
    from plexus.fields.state import State

TERMS = 18
"""Terms of the series of φ_1: the next one is below 1/19! ≈ 8e-18 for |z| <= 1."""


class SplitStepper:
    """What steppers of one step have in common: no memory, and coefficients kept while dt stays."""

    needs = Split
    marches = True
    order = 4

    def __init__(self, params: Any, tolerance: float | None = None):
        self.params, self.tolerance = params, tolerance
        self._dt: float | None = None
        self._linear: Any = None
        self._kept: Any = None

    def coefficients(self, linear: torch.Tensor, dt: float) -> Any:
        """Return the method's functions of dt·L."""
        raise NotImplementedError

    def advance(self, system: Split, hat: torch.Tensor, t: float, dt: float, kept: Any) -> torch.Tensor:
        """Return the modes at ``t + dt``. Collective, differentiable."""
        raise NotImplementedError

    def step(self, system: Split, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt``. Collective."""
        new = self.advance(system, state.values[system.unknown], t, dt, self.kept(system, dt))
        return StepResult({**state.values, system.unknown: new}, None, {})

    def kept(self, system: Split, dt: float) -> Any:
        """Return the coefficients for a step, computed only when dt or L has changed."""
        linear = system.linear
        if self._dt != dt or self._linear is not linear:
            self._dt, self._linear, self._kept = dt, linear, self.coefficients(linear, dt)
        return self._kept

    def history(self) -> tuple[dict[str, Any], dict[Key, torch.Tensor]]:
        """Return nothing: a step needs no earlier state."""
        return {}, {}

    def restore(self, meta: Mapping[str, Any], arrays: Mapping[Key, Any]) -> None:
        """Accept the empty memory."""


def phi(z: torch.Tensor, count: int) -> list[torch.Tensor]:
    """Return φ_1(z) ... φ_count(z) for real z < 1, each accurate to rounding."""
    small = z.abs() < 1
    safe = z.masked_fill(small, -1.0)
    near = z.masked_fill(~small, 0.0)
    functions, last = [], safe.exp()
    for j in range(1, count + 1):
        last = (last - 1 / math.factorial(j - 1)) / safe
        functions.append(last.where(~small, _series(near, j)))
    return functions


def _series(z: torch.Tensor, j: int) -> torch.Tensor:
    """Return Σ z^i/(i+j)! by Horner's rule."""
    total = z.new_full(z.shape, 1 / math.factorial(TERMS + j - 1))
    for i in reversed(range(TERMS - 1)):
        total = total * z + 1 / math.factorial(i + j)
    return total
