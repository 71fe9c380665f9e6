"""Levenberg-Marquardt: Gauss-Newton steps for a loss |r(x)|² of few variables, held back where needed.

    (JᵀJ + μ |r|²/|r₀|² I) h = -Jᵀr,   J = ∂r/∂x

μ starts at τ times the largest entry of the diagonal of JᵀJ. With the gain ϱ, what the loss has lost over
what the linear model had promised, a step with ϱ > 0 is taken, another one tried anew, and μ follows ϱ
(`plexus.solvers.damping`). Where residuals vanish at the minimum, the damping goes to zero as
their square and convergence is quadratic. The stage ends where no entry of Jᵀr exceeds `tolerance` times
the largest at its start.

JᵀJ, Jᵀr and the loss are sums over ranks: one reduction carries them. Sources: K. Madsen, H. Nielsen,
O. Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., DTU 2004, algorithm 3.16; N. Yamashita,
M. Fukushima, Computing Supplement 15 (2001) 239-249, doi:10.1007/978-3-7091-6217-0_18, for the factor |r|².
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params
from plexus.learning.optimizers.base import OptimizerBase
from plexus.registry import register
from plexus.solvers.damping import GROWTH, adapted

if TYPE_CHECKING:
    import torch

    from plexus.learning.objective import Objective
    from plexus.learning.team import Team

EXAMPLE: dict[str, Any] = {"type": "levenberg_marquardt", "damping": 1e-3}
MOST = 5000
"""Variables of the largest system: JᵀJ is a dense matrix."""
ROWS = 256
"""Rows of J that are computed at once."""
TRIALS = 20
"""Dampings that are tried in one step."""
LEAST = 1e-16
"""Step, relative to the variables, below which rounding has the last word."""


class LevenbergMarquardtParams(Params):
    """Parameters of `LevenbergMarquardt`."""

    damping: float = Field(1e-3, gt=0, description="first damping τ, relative to the diagonal of JᵀJ")
    tolerance: float = Field(1e-12, ge=0, description="gradient at the end over that at the start of a stage")


@register("optimizer", "levenberg_marquardt", LevenbergMarquardtParams)
class LevenbergMarquardt(OptimizerBase):
    """Damped Gauss-Newton steps."""

    needs = frozenset({"rows"})
    whole = True

    def start(self, variables: Mapping[str, torch.Tensor], team: Team) -> None:
        """Take the variables.

        Raises
        ------
        InputError
            If they are too many for a dense matrix.
        """
        super().start(variables, team)
        self.mu, self.nu, self.first, self.size = -1.0, GROWTH, -1.0, -1.0
        self.need_dense(MOST, "Levenberg-Marquardt")

    def step(self, objective: Objective, step: int, steps: int) -> float:
        """Take one step that makes the loss smaller, if any does; return the loss after it. Collective."""
        import torch

        loss, gradient, normal = self._system(objective.rows(step))
        self.gradient, largest = 2 * float(gradient.norm()), float(gradient.abs().max())
        if self.mu < 0:
            self.mu, self.first = self.params.damping * float(normal.diagonal().max()), largest
            self.size = loss or 1.0
        self.settled = largest <= self.params.tolerance * self.first
        start = self.values()
        for _ in range(TRIALS if not self.settled else 0):
            mu = max(self.mu * loss / self.size, LEAST * float(normal.diagonal().max()))
            matrix = normal + mu * torch.eye(len(start), dtype=start.dtype)
            move = -torch.linalg.solve(matrix, gradient)
            self.rate = float(move.norm())
            if self.rate <= LEAST * float(start.norm()):
                self.settled = True
                break
            self.put(start + move)
            after = self._loss(objective, step)
            promised = float(move @ (mu * move - gradient))
            if self._accepted((loss - after) / promised):
                return after
            self.put(start)
        return loss

    def _accepted(self, gain: float) -> bool:
        """Return whether a step of some gain is taken, and adapt the damping."""
        self.mu, self.nu = (float(v) for v in adapted(self.mu, self.nu, gain, gain > 0))
        return gain > 0

    def _loss(self, objective: Objective, step: int) -> float:
        """Return the loss, infinite where it is no number. Collective."""
        import torch

        with torch.no_grad():
            found = float(self.team.sum(objective.rows(step).double().square().sum()))
        return found if found == found else float("inf")

    def _system(self, rows: torch.Tensor) -> tuple[float, torch.Tensor, torch.Tensor]:
        """Return |r|², Jᵀr (n,) and JᵀJ (n, n) over all ranks. Collective."""
        import torch

        n = sum(v.numel() for v in self.variables)
        total = torch.zeros(1 + n + n * n, dtype=torch.float64)
        if rows.requires_grad:
            matrix = torch.cat([self._jacobian(rows, at) for at in torch.arange(len(rows)).split(ROWS)])
            r = rows.detach().double().cpu()
            total = torch.cat([(r @ r).reshape(1), matrix.T @ r, (matrix.T @ matrix).flatten()])
        total = self.team.sum(total)
        self.team.finite(total)
        return float(total[0]), total[1 : 1 + n], total[1 + n :].reshape(n, n)

    def _jacobian(self, rows: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Return some rows of J, (rows, n)."""
        import torch

        pick = torch.zeros(len(at), len(rows), dtype=rows.dtype, device=rows.device)
        pick[torch.arange(len(at)), at] = 1
        found = torch.autograd.grad(
            rows, self.variables, pick, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
        parts = [
            v.new_zeros(len(at), v.numel()) if g is None else g.reshape(len(at), -1)
            for v, g in zip(self.variables, found, strict=True)
        ]
        return torch.cat(parts, 1).double().cpu()

    def memory(self) -> dict[str, torch.Tensor]:
        """Return the damping, and the sizes of the first gradient and loss."""
        import torch

        numbers = [self.mu, self.nu, self.first, self.size]
        return {"damping": torch.tensor(numbers, dtype=torch.float64)}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Continue from `memory`."""
        if "damping" in memory:
            self.mu, self.nu, self.first, self.size = memory["damping"].tolist()
