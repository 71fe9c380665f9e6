"""Newton's method for batches of small dense systems: J_m δ_m = -r_m for every member m, by batched LU.

A member that has converged is not touched again, so that its result does not depend on the batch it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from plexus.spaces.blocks import Blocks

MOST = 25
"""Newton steps."""
RELATIVE, ROUNDING = 1e-11, 1e-15
"""A step this small is the last: relative to its unknown, or to the largest one."""

System = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""u (M, n) -> residuals (M, n) and Jacobians (M, n, n)."""


def newton(system: System, u: torch.Tensor, blocks: Blocks) -> tuple[torch.Tensor, int, bool]:
    """Return the roots (M, n), the number of steps, and whether every member has converged."""
    open_ = torch.ones(len(u), 1, dtype=torch.bool, device=u.device)
    for step in range(MOST):
        residual, jacobian = system(u)
        factors, pivots, _ = torch.linalg.lu_factor_ex(jacobian)
        delta = torch.linalg.lu_solve(factors, pivots, residual.unsqueeze(-1)).squeeze(-1)
        # where the factors are singular there are no numbers, which no comparison takes for small
        delta = torch.where(open_, delta, 0.0)
        u = u - delta
        open_ = open_ & ~_small(blocks.split(delta), blocks.split(u))
        if not open_.any():
            return u, step + 1, True
    return u, MOST, False


def _small(delta: Mapping[str, torch.Tensor], u: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return which members moved by rounding only, (M, 1)."""
    sizes = {name: part.abs().amax(-1, keepdim=True) for name, part in u.items()}
    whole = torch.cat(list(sizes.values()), -1).amax(-1, keepdim=True)
    steps = [part.abs().amax(-1, keepdim=True) - RELATIVE * sizes[name] for name, part in delta.items()]
    return torch.cat(steps, -1).amax(-1, keepdim=True) <= ROUNDING * whole


def jacobians(f: Callable[[torch.Tensor], torch.Tensor], u: torch.Tensor) -> torch.Tensor:
    """Return ∂f/∂u (M, n, n) of a function of one member (n,) -> (n,), by forward differentiation."""
    return torch.func.vmap(torch.func.jacfwd(f))(u)
