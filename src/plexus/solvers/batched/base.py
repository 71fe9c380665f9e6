"""What batched solves have in common: equations of one sample, what failed, and implicit derivatives.

With A = ∂F/∂u of each sample at its solution and v the gradient that comes in, and for tangents b,

    A_mᵀ λ_m = v_m,    A_m du_m = b_m    by LU with the true residual looked at.

Samples that failed, and those whose A is singular, are left out of λᵀF: they change no gradient, and are
counted. A loss must leave out the failed ones itself; their solutions are NaN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from plexus.solvers.batched.dense import jacobians, lu

Tensor = torch.Tensor
Axes = Sequence[int | None]
"""Of each θ: 0 where every sample has its own, None where all share one (torch's ``in_dims``)."""


class Outcome(NamedTuple):
    """What a method found for each sample: values (M, ...), iterations (M,), and whether it failed (M,)."""

    u: Tensor
    iterations: Tensor
    failed: Tensor


@dataclass
class Tally:
    """Counts of all solves of a batch problem.

    Attributes
    ----------
    samples, failed : samples that were solved for, and those without a solution.
    singular : samples with a solution that has no gradient.
    longest : most iterations of a sample.
    """

    samples: int = 0
    failed: int = 0
    singular: int = 0
    longest: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a solve."""
        self.samples += outcome.failed.numel()
        self.failed += int(outcome.failed.sum())
        self.longest = max(self.longest, int(outcome.iterations.amax()) if outcome.failed.numel() else 0)


def solved(u: Tensor) -> Tensor:
    """Return which samples of a solution (M, ...) are one, (M,)."""
    return torch.isfinite(u).flatten(1).all(1)


class Batch(ABC):
    """A `plexus.protocols.adjoints.Solvable` of many samples (M, n); needs no communication.

    Parameters
    ----------
    equations
        F of one sample: u (n,) and each θ -> (m,), in operations that `torch.func` can batch.
    axes
        Which θ every sample has its own of.
    """

    def __init__(self, equations: Callable[..., Tensor], axes: Axes = ()):
        self.equations, self.axes = equations, tuple(axes)
        self.tally = Tally()

    @abstractmethod
    def iterate(self, guess: Tensor, theta: Sequence[Tensor]) -> Outcome:
        """Return what the method finds from a guess (M, n)."""

    def values(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return F (M, m)."""
        found: Tensor = torch.func.vmap(self.equations, (0, *self.axes))(u, *theta)
        return found

    def matrix(self, u: Tensor, theta: Sequence[Tensor]) -> Tensor:
        """Return ∂F/∂u (M, n, n)."""
        return jacobians(self.equations, u, theta, self.axes)

    def product(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀF of each sample, (M,)."""
        return (lam * self.values(u, theta)).sum(-1)

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return u (M, n); samples that failed are NaN."""
        outcome = self.iterate(guess, theta)
        self.tally.add(outcome)
        return torch.where(outcome.failed[:, None], torch.nan, outcome.u)

    def tested(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return Σ λᵀF over the samples that were solved."""
        good = solved(u)
        return self.product(u[good], self._rows(theta, good), lam[good]).sum()

    def adjoint(self, u: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return λ (M, n), zero for samples that have none; these are counted."""
        return self._linear(u, theta, v, lambda matrix: matrix.mT)

    def tangent(self, u: Tensor, theta: Sequence[Tensor], b: Tensor) -> Tensor:
        """Return A⁻¹ b (M, n), zero for samples that have none; these are counted."""
        return self._linear(u, theta, b, lambda matrix: matrix)

    def _linear(
        self, u: Tensor, theta: Sequence[Tensor], right: Tensor, turned: Callable[[Tensor], Tensor]
    ) -> Tensor:
        good, x = solved(u), torch.zeros_like(right)
        found, has = self.divided(u[good], self._rows(theta, good), right[good], turned)
        self.tally.singular += int((~has).sum())
        x[good] = torch.where(has[:, None], found, 0.0)
        return x

    def divided(
        self, u: Tensor, theta: Sequence[Tensor], right: Tensor, turned: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return A⁻¹ or A⁻ᵀ of right sides (M, n), as ``turned`` makes A, and which samples have one."""
        return lu(turned(self.matrix(u, theta)), right)

    def _rows(self, theta: Sequence[Tensor], good: Tensor) -> list[Tensor]:
        """Return θ of some of the samples."""
        return [t if axis is None else t[good] for t, axis in zip(theta, self.axes, strict=True)]
