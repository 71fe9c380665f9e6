"""Levenberg and Marquardt's method for batches of least squares problems: u makes |F(u; θ)|²/2 least.

    (JᵀJ + μ) h = -g,   g = JᵀF,   ρ = (|F(u)|² - |F(u + h)|²) / (hᵀ(μ h - g))

A step with ρ > 0 is taken, and μ follows ρ (`plexus.solvers.damping`). Where a step promises less than
rounding lets |F|² show, it is taken if |g| shrinks. A sample is there when max |g| is
below the tolerance times its value at the start, or is rounding.

Unknowns are counted from the guess in the frame in which the rows see all directions alike there (`frame`),
so that nothing depends on their units, and columns of J that are nearly the same do no harm. Samples that are
there leave the batch.

F is taken as it is: the Jacobian of a squared residual vanishes at the solution, and the error then only
halves with each iteration.

The gradient is that of the stationary point g(u; θ) = 0, whose derivative is the full Hessian

    H = JᵀJ + Σ_i F_i ∇²F_i.

JᵀJ alone (``curvature=False``) is right where F vanishes or is linear in u only. Directions that no row sees
keep their guess, and are left out of H.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from plexus.solvers.batched.base import Axes, Batch, Outcome
from plexus.solvers.batched.dense import frame, jacobians, lu
from plexus.solvers.damping import GROWTH, adapted

Tensor = torch.Tensor
FIRST = 1e-6
"""μ at the start, in units of the largest diagonal entry of JᵀJ."""
BLIND = 1e-12
"""Part of |F|² below which differences of it are rounding."""

System = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""u (K, n) and the numbers (K,) of the samples -> residuals (K, m) and Jacobians (K, m, n)."""


class _At(NamedTuple):
    """The samples at work: numbers, points, what is known there, and damping."""

    items: Tensor
    u: Tensor
    f: Tensor
    g: Tensor
    normal: Tensor
    """JᵀJ."""
    floor: Tensor
    """What rounding leaves of g."""
    least: Tensor
    """Max |g| of a solution."""
    mu: Tensor
    growth: Tensor

    @property
    def slope(self) -> Tensor:
        """Max |g|, (K,)."""
        return self.g.abs().amax(-1)

    def going(self) -> _At:
        """Return the samples that are not there yet."""
        rows = ~(self.slope <= torch.maximum(self.least, self.floor))
        return self if bool(rows.all()) else _At(*(t[rows] for t in self))

    def moved(self, chosen: Tensor, to: _At) -> _At:
        """Return the points with those of some samples from ``to``."""
        pairs = zip(to, self, strict=True)
        return _At(*(torch.where(chosen.reshape(-1, *(1,) * (b.ndim - 1)), a, b) for a, b in pairs))


def levenberg(system: System, u: Tensor, tolerance: float = 1e-10, limit: int = 200) -> Outcome:
    """Return the least squares solutions (M, n).

    Parameters
    ----------
    system
        Residuals and Jacobians of some of the samples: those that are there are not asked for again.
    u
        Where each sample starts.
    tolerance
        Bound on max |g| relative to the start.
    limit
        Most iterations; a sample that needs more has failed.
    """
    found, taken = u.clone(), torch.zeros(len(u), dtype=torch.int64, device=u.device)
    at = _started(system, u, tolerance).going()
    for _ in range(limit):
        if not len(at.items):
            break
        taken[at.items] += 1
        at = _stepped(system, at)
        found[at.items] = at.u
        at = at.going()
    failed = torch.zeros_like(taken, dtype=torch.bool)
    failed[at.items] = True
    return Outcome(found, taken, failed)


def _started(system: System, u: Tensor, tolerance: float) -> _At:
    items = torch.arange(len(u), device=u.device)
    known = _known(system, items, u)
    largest = known["normal"].diagonal(dim1=-2, dim2=-1).amax(-1)
    least = tolerance * known["g"].abs().amax(-1)
    growth = torch.full_like(largest, GROWTH)
    return _At(items=items, **known, least=least, mu=FIRST * largest, growth=growth)


def _known(system: System, items: Tensor, u: Tensor) -> dict[str, Tensor]:
    """Return what is known of samples at points."""
    f, j = system(u, items)
    size = torch.einsum("mij,mi->mj", j.abs(), f.abs()).amax(-1)
    floor = 4 * torch.finfo(u.dtype).eps * size
    return {"u": u, "f": f, "g": torch.einsum("mij,mi->mj", j, f), "normal": j.mT @ j, "floor": floor}


def _stepped(system: System, at: _At) -> _At:
    """Return the samples after one trial each."""
    h, solvable = _step(at)
    trial = at._replace(**_known(system, at.items, at.u + h))
    gained = ((at.f - trial.f) * (at.f + trial.f)).sum(-1)
    promised = (h * (at.mu[:, None] * h - at.g)).sum(-1)
    seen = promised > BLIND * at.f.square().sum(-1)
    better = solvable & torch.where(seen, gained > 0, trial.slope < at.slope)
    # a gain that rounding hides counts as a whole one
    mu, growth = adapted(at.mu, at.growth, torch.where(seen, gained / promised, 1.0), better)
    return at.moved(better, trial)._replace(mu=mu, growth=growth)


def _step(at: _At) -> tuple[Tensor, Tensor]:
    """Return h (K, n), and where the damped matrix has a factor."""
    one = torch.eye(at.u.shape[-1], dtype=at.u.dtype, device=at.u.device)
    factor, info = torch.linalg.cholesky_ex(at.normal + at.mu[:, None, None] * one)
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
        turn, _ = frame(self.jacobian(guess, theta))

        def back(y: Tensor, items: Tensor) -> Tensor:
            return guess[items] + torch.einsum("mij,mj->mi", turn[items], y)

        def system(y: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            u, own = back(y, items), self._rows(theta, items)
            return self.values(u, own), self.jacobian(u, own) @ turn[items]

        found = levenberg(system, torch.zeros_like(guess), self.tolerance, self.limit)
        return found._replace(u=back(found.u, torch.arange(len(guess), device=guess.device)))

    def jacobian(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return J (M, m, n)."""
        return jacobians(self.equations, u, theta, self.axes)

    def matrix(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return H, or JᵀJ, (M, n, n)."""
        if not self.curvature:
            j = self.jacobian(u, theta)
            return j.mT @ j

        def half(u: Tensor, *theta: Tensor) -> Tensor:
            return self.equations(u, *theta).square().sum() / 2

        found: Tensor = torch.func.vmap(torch.func.hessian(half), (0, *self.axes))(u, *theta)
        return found

    def divided(
        self, u: Tensor, theta: Sequence[Tensor], right: Tensor, turned: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return H⁻¹ of right sides (M, n) in directions that the rows see, and which samples have it."""
        turn, seen = frame(self.jacobian(u, theta))
        turn = turn * seen[:, None]
        # what is not seen stays as it was guessed
        h = turn.mT @ self.matrix(u, theta) @ turn + torch.diag_embed((~seen).to(u.dtype))
        y, has = lu(h, torch.einsum("mij,mi->mj", turn, right))
        return torch.einsum("mij,mj->mi", turn, y), has

    def product(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀg = (J λ)ᵀF of each sample, (M,)."""

        def one(u: Tensor, lam: Tensor, *theta: Tensor) -> Tensor:
            pair: tuple[Tensor, ...] = torch.func.jvp(lambda x: self.equations(x, *theta), (u,), (lam,))
            return (pair[0] * pair[1]).sum()

        found: Tensor = torch.func.vmap(one, (0, 0, *self.axes))(u, lam, *theta)
        return found
