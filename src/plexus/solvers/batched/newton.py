"""Newton's method for batches of small dense systems: J_m δ_m = -r_m for every sample m, by batched LU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from plexus.solvers.batched.base import Batch, Outcome
from plexus.spaces.blocks import Blocks

MOST = 25
"""Newton steps."""
RELATIVE, ROUNDING = 1e-11, 1e-15
"""A step this small is the last: relative to its unknown, or to the largest one."""

System = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""u (M, n) -> residuals (M, n) and Jacobians (M, n, n)."""


def newton(system: System, u: torch.Tensor, blocks: Blocks) -> Outcome:
    """Return the roots (M, n); ``blocks`` name the unknowns, each of which converges in its own size."""
    open_ = torch.ones(len(u), 1, dtype=torch.bool, device=u.device)
    taken = torch.zeros(len(u), dtype=torch.int64, device=u.device)
    for _ in range(MOST):
        residual, jacobian = system(u)
        factors, pivots, _ = torch.linalg.lu_factor_ex(jacobian)
        delta = torch.linalg.lu_solve(factors, pivots, residual.unsqueeze(-1)).squeeze(-1)
        # where the factors are singular there are no numbers, which no comparison takes for small
        delta = torch.where(open_, delta, 0.0)
        u, taken = u - delta, taken + open_.squeeze(-1)
        open_ = open_ & ~_small(blocks.split(delta), blocks.split(u))
        if not open_.any():
            break
    return Outcome(u, taken, open_.squeeze(-1))


def _small(delta: Mapping[str, torch.Tensor], u: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return which samples moved by rounding only, (M, 1)."""
    sizes = {name: part.abs().amax(-1, keepdim=True) for name, part in u.items()}
    whole = torch.cat(list(sizes.values()), -1).amax(-1, keepdim=True)
    steps = [part.abs().amax(-1, keepdim=True) - RELATIVE * sizes[name] for name, part in delta.items()]
    return torch.cat(steps, -1).amax(-1, keepdim=True) <= ROUNDING * whole


class Roots(Batch):
    """F(u; θ) = 0, as many equations as unknowns."""

    def iterate(self, guess: torch.Tensor, theta: Sequence[torch.Tensor]) -> Outcome:
        """Return the roots (M, n)."""

        def system(u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.values(u, theta), self.matrix(u, theta)

        return newton(system, guess, self.blocks(guess))

    def blocks(self, u: torch.Tensor) -> Blocks:
        """Return the unknowns that converge in their own sizes; here all are one."""
        return Blocks({"u": u.shape[-1]})
