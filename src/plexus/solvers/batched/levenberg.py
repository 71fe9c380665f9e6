"""Levenberg and Marquardt's method for batches of least squares problems: u makes |F(u; θ)|²/2 least.

    (JᵀJ + μ) h = -g,   g = JᵀF,   ρ = (|F(u)|² - |F(u + h)|²) / (hᵀ(μ h - g))

A step with ρ > 0 is taken, and μ follows ρ (`plexus.solvers.damping`). Where a step promises less than
rounding lets |F|² show, it is taken if |g| shrinks. A sample is there when max |g| is
below the tolerance times its value at the start, or is rounding.

F is taken as it is: the Jacobian of a squared residual vanishes at the solution, and the error then only
halves with each iteration.

The gradient is that of the stationary point g(u; θ) = 0, whose derivative is the full Hessian

    H = JᵀJ + Σ_i F_i ∇²F_i.

JᵀJ alone (``curvature=False``) is right where F vanishes or is linear in u only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from plexus.solvers.batched.base import Axes, Batch, Outcome
from plexus.solvers.damping import GROWTH, adapted

Tensor = torch.Tensor
FIRST = 1e-6
"""μ at the start, in units of the largest diagonal entry of JᵀJ."""
BLIND = 1e-12
"""Part of |F|² below which differences of it are rounding."""

System = Callable[[Tensor], tuple[Tensor, Tensor]]
"""u (M, n) -> residuals (M, m) and Jacobians (M, m, n)."""


class _At(NamedTuple):
    """A point of each sample with what is known there."""

    u: Tensor
    f: Tensor
    g: Tensor
    normal: Tensor
    """JᵀJ."""
    floor: Tensor
    """What rounding leaves of g."""

    @property
    def slope(self) -> Tensor:
        """Max |g|, (M,)."""
        return self.g.abs().amax(-1)

    def moved(self, chosen: Tensor, to: _At) -> _At:
        """Return the points with those of some samples from ``to``."""
        pairs = zip(to, self, strict=True)
        return _At(*(torch.where(chosen.reshape(-1, *(1,) * (b.ndim - 1)), a, b) for a, b in pairs))


def levenberg(system: System, u: Tensor, tolerance: float = 1e-10, limit: int = 200) -> Outcome:
    """Return the least squares solutions (M, n).

    Parameters
    ----------
    system
        Residuals and Jacobians.
    u
        Where each sample starts.
    tolerance
        Bound on max |g| relative to the start.
    limit
        Most iterations; a sample that needs more has failed.
    """
    at = _evaluated(system, u)
    mu, growth = FIRST * at.normal.diagonal(dim1=-2, dim2=-1).amax(-1), torch.full_like(u[:, 0], GROWTH)
    least, taken = tolerance * at.slope, torch.zeros(len(u), dtype=torch.int64, device=u.device)
    open_ = ~(at.slope <= torch.maximum(least, at.floor))
    while bool(open_.any()) and int(taken.max()) < limit:
        h, solvable = _step(at, mu)
        trial = _evaluated(system, at.u + h)
        gained = ((at.f - trial.f) * (at.f + trial.f)).sum(-1)
        promised = (h * (mu[:, None] * h - at.g)).sum(-1)
        seen = promised > BLIND * at.f.square().sum(-1)
        better = solvable & torch.where(seen, gained > 0, trial.slope < at.slope)
        at = at.moved(open_ & better, trial)
        # a gain that rounding hides counts as a whole one
        gain = torch.where(seen, gained / promised, 1.0)
        mu, growth = adapted(mu, growth, gain, better)
        taken = taken + open_
        open_ = ~(at.slope <= torch.maximum(least, at.floor))
    return Outcome(at.u, taken, open_)


def _evaluated(system: System, u: Tensor) -> _At:
    f, j = system(u)
    size = torch.einsum("mij,mi->mj", j.abs(), f.abs()).amax(-1)
    floor = 4 * torch.finfo(u.dtype).eps * size
    return _At(u, f, torch.einsum("mij,mi->mj", j, f), j.mT @ j, floor)


def _step(at: _At, mu: Tensor) -> tuple[Tensor, Tensor]:
    """Return h (M, n), and where the damped matrix has a factor."""
    damped = at.normal + mu[:, None, None] * torch.eye(at.u.shape[-1], dtype=mu.dtype, device=mu.device)
    factor, info = torch.linalg.cholesky_ex(damped)
    return -torch.cholesky_solve(at.g.unsqueeze(-1), factor).squeeze(-1), info == 0


class LeastSquares(Batch):
    """The u (n,) of each sample that makes |F(u; θ)|²/2 least, F with m >= n numbers.

    Parameters
    ----------
    equations, axes
        Those of `Batch`.
    tolerance, limit
        Those of `levenberg`.
    curvature
        Whether the gradient takes the full Hessian.
    """

    def __init__(
        self,
        equations: Callable[..., Tensor],
        axes: Axes = (),
        tolerance: float = 1e-10,
        limit: int = 200,
        curvature: bool = True,
    ):
        super().__init__(equations, axes)
        self.tolerance, self.limit, self.curvature = tolerance, limit, curvature

    def iterate(self, guess: Tensor, theta: Sequence[Tensor]) -> Outcome:
        """Return the solutions (M, n)."""

        def system(u: Tensor) -> tuple[Tensor, Tensor]:
            return self.values(u, theta), super(LeastSquares, self).matrix(u, theta)

        return levenberg(system, guess, self.tolerance, self.limit)

    def matrix(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return H, or JᵀJ, (M, n, n)."""
        if not self.curvature:
            j = super().matrix(u, theta)
            return j.mT @ j

        def half(u: Tensor, *theta: Tensor) -> Tensor:
            return self.equations(u, *theta).square().sum() / 2

        found: Tensor = torch.func.vmap(torch.func.hessian(half), (0, *self.axes))(u, *theta)
        return found

    def product(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀg = (J λ)ᵀF of each sample, (M,)."""

        def one(u: Tensor, lam: Tensor, *theta: Tensor) -> Tensor:
            pair: tuple[Tensor, ...] = torch.func.jvp(lambda x: self.equations(x, *theta), (u,), (lam,))
            return (pair[0] * pair[1]).sum()

        found: Tensor = torch.func.vmap(one, (0, 0, *self.axes))(u, lam, *theta)
        return found
