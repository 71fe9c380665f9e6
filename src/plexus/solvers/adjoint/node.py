"""The solve of F(u; θ) = 0 as one node of torch's graph (implicit function theorem).

With A = ∂F/∂u at the solution and v the gradient of what follows with respect to u,

    Aᵀ λ = v,      gradient with respect to θ = -∂(λᵀF)/∂θ,

so that neither the iterations of the solver nor ∂F/∂θ are ever stored (Blondel and
others 2022, "Efficient and modular implicit differentiation", arXiv 2105.15183).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from plexus.protocols.adjoints import Solvable

Tensor = torch.Tensor


def solution(problem: Solvable, guess: Tensor, *theta: Tensor) -> Tensor:
    """Return u with F(u; θ) = 0, differentiable with respect to ``theta`` and not to ``guess``. Collective.

    Every rank has to ask for the gradient too, since the transposed solve is collective.
    """
    u: Tensor = _Node.apply(problem, guess.detach(), *theta)
    return u


class _Node(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, problem: Solvable, guess: Tensor, *theta: Tensor) -> Tensor:
        u = problem.solve(theta, guess)
        ctx.problem = problem
        ctx.save_for_backward(u, *theta)
        return u

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, ...]:
        u, *theta = ctx.saved_tensors
        lam = ctx.problem.adjoint(u, theta, v)
        asked = list(ctx.needs_input_grad[2:])
        leaves = [t.detach().requires_grad_(need) for t, need in zip(theta, asked, strict=True)]
        with torch.enable_grad():
            # 0 θ: equations that read nothing of it have the gradient zero
            part = ctx.problem.tested(u.detach(), leaves, lam) + sum(0.0 * t.real.sum() for t in leaves)
        wanted = [t for t, need in zip(leaves, asked, strict=True) if need]
        # what this rank does not read is zero, not missing: ranks have to go back through the same nodes
        found = iter(torch.autograd.grad(part, wanted, allow_unused=True, materialize_grads=True))
        return None, None, *(-next(found) if need else None for need in asked)
