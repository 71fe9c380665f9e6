"""Self-scaled Broyden: a quasi-Newton method with a dense inverse Hessian H, scaled anew in every iteration.

    s = x₊ - x, y = g₊ - g,   b = -t s·g / y·s,   h = yᵀHy / y·s,   a = h b - 1 >= 0
    v = √(yᵀHy) (s / y·s - Hy / yᵀHy)
    H₊ = (H - Hy yᵀH / yᵀHy + φ v vᵀ)/τ + s sᵀ / y·s,   φ = (1 - θ)/(1 + a θ)

H₊ y = s for every τ and φ. θ = 0, τ = 1 is BFGS, θ = 1 is DFP; θ lies between ends at which H₊ stays positive
definite and well conditioned,

    c = √(a/(1+a)),   ϱ = min(1, h (1 - c)),   θ = max((ϱ - 1)/a, min(1/ϱ, (1 - b)/b)),   σ = 1 + a θ,
    τ₁ = min(1, 1/b),   τ = τ₁ min(σ^(-1/(n-1)), 1/θ)  for θ > 0,   min(τ₁ σ^(-1/(n-1)), σ)  else.

Steps t fulfil the strong Wolfe conditions. Sources: M. Al-Baali, H. Khalfan, Optimization Methods and
Software 20 (2005) 679-691, doi:10.1080/10556780410001709448; J. Urbán, P. Stefanou, J. Pons, J. Comput.
Phys. 523 (2025) 113656, doi:10.1016/j.jcp.2024.113656, for networks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params
from plexus.errors import GuardError
from plexus.learning.optimizers.base import OptimizerBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.objective import Objective
    from plexus.learning.optimizers._wolfe import Trial
    from plexus.learning.team import Team

EXAMPLE: dict[str, Any] = {"type": "ssbroyden", "iterations": 10}
MOST = 10_000
"""Variables of the largest problem: H is a dense matrix."""
CURVED = 1e-14
"""Smallest y·s over |y| |s| of an update; below it rounding has the last word."""


class SsbroydenParams(Params):
    """Parameters of `Ssbroyden`."""

    iterations: int = Field(20, ge=1, description="iterations per step of the training")
    tolerance: float = Field(1e-12, ge=0, description="gradient at the end over that at the start of a stage")


@register("optimizer", "ssbroyden", SsbroydenParams)
class Ssbroyden(OptimizerBase):
    """Quasi-Newton iterations."""

    whole = True

    def start(self, variables: Mapping[str, torch.Tensor], team: Team) -> None:
        """Take the variables.

        Raises
        ------
        InputError
            If they are too many for a dense matrix.
        """
        super().start(variables, team)
        self.inverse: torch.Tensor | None = None
        self.first = -1.0
        self.need_dense(MOST, "ssbroyden")

    def step(self, objective: Objective, step: int, steps: int) -> float:
        """Take some iterations on one batch and return the loss after them. Collective."""
        from plexus.learning.optimizers._wolfe import Trial

        loss, gradient = self.team.gradient(objective.part(step), self.variables)
        now = Trial(0.0, loss, 0.0, gradient)
        for _ in range(self.params.iterations):
            self.gradient = float(now.gradient.norm())
            self.first = self.gradient if self.first < 0 else self.first
            if self.gradient <= self.params.tolerance * self.first:
                self.settled = True
                break
            now = self._iterate(objective, step, now)
            if self.settled:
                break
        return now.value

    def _iterate(self, objective: Objective, step: int, now: Trial) -> Trial:
        """Go down one line from ``now`` and return where it ends. Collective."""
        from plexus.learning.optimizers._wolfe import Trial, search

        start, g = self.values(), now.gradient
        along = -g if self.inverse is None else -(self.inverse @ g)

        def at(t: float) -> Trial:
            self.put(start + t * along)
            try:
                loss, gradient = self.team.gradient(objective.part(step), self.variables)
            except GuardError:  # on all ranks: the step is too long
                return Trial(t, math.inf, math.inf, g)
            return Trial(t, loss, float(gradient @ along), gradient)

        first = min(1.0, 1 / float(g.norm())) if self.inverse is None else 1.0
        found = search(at, now._replace(t=0.0, slope=float(g @ along)), first)
        self.put(start + found.t * along)
        self.rate, self.settled = found.t, found.value >= now.value
        s = self.values() - start
        self.inverse = updated(self.inverse, s, found.gradient - g, float(-found.t * (s @ g)))
        return found

    def memory(self) -> dict[str, torch.Tensor]:
        """Return H and the size of the first gradient."""
        import torch

        first = {"first": torch.tensor(self.first, dtype=torch.float64)}
        return first if self.inverse is None else {**first, "inverse": self.inverse}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Continue from `memory`."""
        if "first" in memory:
            self.first, self.inverse = float(memory["first"]), memory.get("inverse")


def updated(
    inverse: torch.Tensor | None, s: torch.Tensor, y: torch.Tensor, sbs: float
) -> torch.Tensor | None:
    """Return H₊ (n, n) after a step s (n,) and a change y (n,) of the gradient; ``sbs`` is sᵀH⁻¹s = -t s·g.

    The first H is y·s / yᵀy times the identity. Without curvature along s nothing is learned, and H is kept.
    """
    import torch

    ys = float(y @ s)
    if ys <= CURVED * float(y.norm() * s.norm()):
        return inverse
    if inverse is None:
        scale = ys / float(y @ y)
        inverse, sbs = scale * torch.eye(len(s), dtype=s.dtype), float(s @ s) / scale
    along = inverse @ y
    yhy = float(y @ along)
    tau, phi = scaled(sbs / ys, yhy / ys, len(s))
    v = math.sqrt(yhy) * (s / ys - along / yhy)
    kept = inverse - torch.outer(along, along) / yhy + phi * torch.outer(v, v)
    return kept / tau + torch.outer(s, s) / ys


def scaled(b: float, h: float, n: int) -> tuple[float, float]:
    """Return τ and φ of the head of this module for n variables."""
    a = max(h * b - 1, 0.0)
    c = math.sqrt(a / (1 + a))
    low = min(1.0, h * (1 - c))
    theta = max((low - 1) / a, min(1 / low, (1 - b) / b)) if a > 1e-14 else min(1 / low, (1 - b) / b)
    sigma, first = 1 + a * theta, min(1.0, 1 / b)
    spread = sigma ** (-1 / max(n - 1, 1))
    tau = first * min(spread, 1 / theta) if theta > 0 else min(first * spread, sigma)
    return tau, (1 - theta) / sigma
