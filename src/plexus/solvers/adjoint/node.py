"""The solve of F(u; θ) = 0 as a node of torch's graph (implicit function theorem), backwards and forwards.

With A = ∂F/∂u at the solution, v the gradient of what follows with respect to u, and dθ a direction,

    Aᵀ λ = v,            gradient with respect to θ = -∂(λᵀF)/∂θ,
    A du = -(∂F/∂θ) dθ,  (∂F/∂θ) dθ = ∂/∂λ [∂(λᵀF)/∂θ · dθ],

so that neither the iterations of the solver nor ∂F/∂θ are ever stored (Blondel and others 2022, "Efficient
and modular implicit differentiation", arXiv 2105.15183). The gradient is linear in v; its derivative along
dθ is du: torch's second pass backwards, through the graph of the first, is the tangent of a chain of solves.
Many directions go through it together (`torch.func.vmap`), each solve linearised once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import Function

if TYPE_CHECKING:
    from plexus.protocols.adjoints import Solvable

Tensor = torch.Tensor


def solution(problem: Solvable, guess: Tensor, *theta: Tensor) -> Tensor:
    """Return u with F(u; θ) = 0, differentiable with respect to ``theta`` and not to ``guess``. Collective.

    Every rank has to ask for derivatives too, since their solves are collective. There are first ones only.
    """
    u: Tensor = _Solved.apply(problem, guess.detach(), *theta)
    return u


class _Solved(Function):
    """θ -> u."""

    @staticmethod
    def forward(problem: Solvable, guess: Tensor, *theta: Tensor) -> Tensor:
        u = problem.solve(theta, guess)
        # a guess that is the solution already may be kept, but not as the input that it was
        return u.view_as(u) if u is guess else u

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.problem, _, *theta = inputs
        ctx.save_for_backward(output, *theta)

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, ...]:
        asked = tuple(ctx.needs_input_grad[2:])
        known = ctx.saved_tensors
        if torch.is_grad_enabled():
            known = tuple(_Once.apply(a) for a in known)
        found = iter(_Pulled.apply(ctx.problem, asked, v, *known))
        return None, None, *(next(found) if need else None for need in asked)


class _Once(Function):
    """What a derivative is taken at: its own derivatives would be second ones."""

    @staticmethod
    def forward(a: Tensor) -> Tensor:
        return a.view_as(a)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        raise RuntimeError("solves have first derivatives only")


class _Pulled(Function):
    """v -> gradients of the θ that are asked for."""

    @staticmethod
    def forward(
        problem: Solvable, asked: Sequence[bool], v: Tensor, u: Tensor, *theta: Tensor
    ) -> tuple[Tensor, ...]:
        leaves, wanted = _leaves(theta, asked)
        lam = problem.adjoint(u, theta, v)
        with torch.enable_grad():
            part = _tested(problem, u, leaves, lam)
        # what this rank does not read is zero, not missing: ranks have to go back through the same nodes
        found = torch.autograd.grad(part, wanted, allow_unused=True, materialize_grads=True)
        return tuple(-g for g in found)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.problem, ctx.asked, _, *known = inputs
        ctx.save_for_backward(*known)

    @staticmethod
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor | None, ...]:
        du = _Pushed.apply(ctx.problem, ctx.asked, len(directions), *directions, *ctx.saved_tensors)
        return None, None, du, *(None for _ in ctx.saved_tensors)


class _Pushed(Function):
    """Directions of those θ -> du."""

    @staticmethod
    def forward(problem: Solvable, asked: Sequence[bool], n: int, *tensors: Tensor) -> Tensor:
        (du,) = _pushed(problem, asked, [tensors[:n]], *tensors[n:])
        return du

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def vmap(info: Any, axes: Any, problem: Solvable, asked: Any, n: int, *tensors: Tensor) -> Any:
        """Return du of many directions, (B, ...)."""
        places = axes[3 : 3 + n]
        many = [
            [d if place is None else d.select(place, i) for d, place in zip(tensors, places, strict=False)]
            for i in range(info.batch_size)
        ]
        return torch.stack(_pushed(problem, asked, many, *tensors[n:])), 0


def _pushed(
    problem: Solvable, asked: Sequence[bool], many: Sequence[Sequence[Tensor]], u: Tensor, *theta: Tensor
) -> list[Tensor]:
    """Return du for each of many directions of the θ that are asked for. Collective."""
    leaves, wanted = _leaves(theta, asked)
    lam = torch.zeros_like(u).requires_grad_()
    with torch.enable_grad():
        part = _tested(problem, u, leaves, lam)
        slopes = torch.autograd.grad(
            part, wanted, create_graph=True, allow_unused=True, materialize_grads=True
        )
        # 0 λᵀF: ranks that read none of these θ have to go back to λ as well
        along = [
            0.0 * part + sum((s.conj() * d).real.sum() for s, d in zip(slopes, one, strict=True))
            for one in many
        ]
    loads = [torch.autograd.grad(a, lam, retain_graph=True)[0] for a in along]
    return [-problem.tangent(u, theta, load) for load in loads]


def _leaves(theta: Sequence[Tensor], asked: Sequence[bool]) -> tuple[list[Tensor], list[Tensor]]:
    """Return θ cut off from what it was made of, and those of it that are asked for."""
    leaves = [t.detach().requires_grad_(need) for t, need in zip(theta, asked, strict=True)]
    return leaves, [t for t, need in zip(leaves, asked, strict=True) if need]


def _tested(problem: Solvable, u: Tensor, leaves: Sequence[Tensor], lam: Tensor) -> Tensor:
    """Return λᵀF; 0 θ: equations that read nothing of it have the gradient zero."""
    return problem.tested(u.detach(), leaves, lam) + sum(0.0 * t.real.sum() for t in leaves)
