"""One step for batches of linear equations: A_m u_m = b_m by LU factorisation with partial pivoting."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from plexus.solvers.batched.base import Batch, Outcome
from plexus.solvers.batched.dense import lu


class Linear(Batch):
    """F(u; θ) = A(θ) u - b(θ) = 0, given as F: u = u_0 - A⁻¹ F(u_0) from any u_0."""

    def iterate(self, guess: torch.Tensor, theta: Sequence[torch.Tensor]) -> Outcome:
        """Return the solutions (M, n)."""
        step, found = lu(self.matrix(guess, theta), self.values(guess, theta))
        return Outcome(guess - step, torch.ones_like(found, dtype=torch.int64), ~found)
