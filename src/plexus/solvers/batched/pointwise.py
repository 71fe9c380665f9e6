"""Least squares of residuals that are pointwise functions of sums of given functions, and exact derivatives.

    F_r(ω) = f(q_r),   q_dr = q⁰_dr + Σ_i A_dri ω_i,        d: value, derivative in time, in space, ...

of which, with f_d = ∂f/∂q_d at each point,

    J_ri = Σ_d f_d A_dri,   H = JᵀJ + Σ_r F_r Σ_de f_de A_drᵀ A_er,

so that only f is differentiated, and that point by point. Rows of linear conditions C ω + c may follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from plexus.solvers.batched.levenberg import LeastSquares

Tensor = torch.Tensor
Law = Callable[[Tensor], Tensor]
"""q (M, d, m) -> f (M, m), each point by itself."""


class Pointwise(LeastSquares):
    """The ω (n,) of each sample that makes |F|²/2 least; its θ are A (M, d, m, n), q⁰ (M, d, m), C, c.

    Parameters
    ----------
    law
        f.
    tolerance, limit, curvature
        Those of `LeastSquares`.
    """

    def __init__(self, law: Law, tolerance: float = 1e-10, limit: int = 200, curvature: bool = True):
        super().__init__(lambda *_: torch.empty(0), (0, 0, 0, 0), tolerance, limit, curvature)
        self.law = law

    def values(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return F (M, m + c)."""
        _, _, conditions, right = theta
        return torch.cat([self.law(at(u, theta)), torch.einsum("mcn,mn->mc", conditions, u) + right], 1)

    def jacobian(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return J (M, m + c, n)."""
        slopes = self._slopes(at(u, theta))
        return torch.cat([(slopes[..., None] * theta[0]).sum(1), theta[2]], 1)

    def matrix(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return H, or JᵀJ, (M, n, n)."""
        columns, q = theta[0], at(u, theta)
        j = self.jacobian(u, theta)
        normal = j.mT @ j
        if not self.curvature:
            return normal
        bent = self._curvatures(q) * self.law(q)[:, None, None]
        weighed = (bent[..., None] * columns[:, None]).sum(2)
        return normal + columns.flatten(1, 2).mT @ weighed.flatten(1, 2)

    def product(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀJᵀF of each sample, (M,)."""
        along = (theta[0] @ lam[:, None, :, None]).squeeze(-1)
        moved = (self._slopes(at(u, theta)) * along).sum(1)
        moved = torch.cat([moved, torch.einsum("mcn,mn->mc", theta[2], lam)], 1)
        return (self.values(u, theta) * moved).sum(-1)

    def _slopes(self, q: Tensor) -> Tensor:
        """Return ∂f/∂q (M, d, m)."""
        found: Tensor = torch.func.grad(lambda q: self.law(q).sum())(q)
        return found

    def _curvatures(self, q: Tensor) -> Tensor:
        """Return ∂²f/∂q² (M, d, d, m)."""
        ones = torch.eye(q.shape[1], dtype=q.dtype, device=q.device)
        ways = [one[:, None].expand_as(q).contiguous() for one in ones]
        return torch.stack([torch.func.jvp(self._slopes, (q,), (way,))[1] for way in ways], 1)


def at(u: Tensor, theta: Sequence[Tensor]) -> Tensor:
    """Return q (M, d, m)."""
    return theta[1] + (theta[0] @ u[:, None, :, None]).squeeze(-1)
