"""Ranks that train one network together: sums, gradients and whole data sets.

Every rank holds the same weights and some of the frames, so that a loss is a sum over ranks and its gradient
the sum of the ranks' gradients. One reduction per step of the optimiser carries both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.errors import GuardError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Tensor = torch.Tensor


class Team:
    """The ranks of a training; None is this process alone."""

    def __init__(self, comm: Comm | None = None):
        self.comm = comm
        self.size, self.rank = (comm.size, comm.rank) if comm is not None else (1, 0)

    def sum(self, part: Tensor) -> Tensor:
        """Return the sum over ranks, in double precision on the CPU. Collective."""
        mine = part.detach().double().cpu()
        if self.comm is None or self.size == 1:
            return mine
        total = np.empty(tuple(mine.shape))
        self.comm.Allreduce(mine.contiguous().numpy(), total)
        return torch.from_numpy(total)

    def gradient(self, loss: Tensor, variables: Sequence[Tensor]) -> tuple[float, Tensor]:
        """Return the summed loss and its gradient as one vector, in double precision. Collective.

        ``loss`` is this rank's part, 0-d; one without graph (a rank without data) adds nothing. What a rank
        has of a gradient is a partial sum, whatever the ranks share out: one reduction adds all of it up.

        Raises
        ------
        GuardError
            On all ranks, if loss or gradient is not finite.
        """
        found: Sequence[Tensor | None] = [None] * len(variables)
        if loss.requires_grad:
            found = torch.autograd.grad(loss, variables, allow_unused=True)
        parts = [torch.zeros_like(v) if g is None else g for v, g in zip(variables, found, strict=True)]
        total = self.sum(
            torch.cat([loss.detach().double().reshape(1), *(p.double().flatten() for p in parts)])
        )
        self.finite(total)
        return float(total[0]), total[1:]

    def finite(self, total: Tensor) -> None:
        """Refuse numbers that are none; ``total`` is the same on all ranks."""
        if not bool(total.isfinite().all()):
            raise GuardError(
                "loss or gradient is not finite: lower the learning rate or the roll-outs' length"
            )

    def descend(self, loss: Tensor, variables: Sequence[Tensor]) -> float:
        """Put the gradient of the summed loss into the variables and return that loss. Collective."""
        value, gradient = self.gradient(loss, variables)
        for variable, part in zip(variables, gradient.split([v.numel() for v in variables]), strict=True):
            variable.grad = part.reshape(variable.shape).to(variable)
        return value

    def together(self, part: Tensor, order: Tensor) -> Tensor:
        """Return the rows of all ranks, sorted by their numbers ``order``. Collective."""
        if self.comm is None or self.size == 1:
            return part[order.argsort()]
        # plain arrays travel: whole frames, once per training
        rows = self.comm.allgather((part.detach().cpu().resolve_conj().numpy(), order.cpu().numpy()))
        numbers = np.concatenate([n for _, n in rows])
        whole = np.concatenate([r for r, _ in rows])[numbers.argsort()]
        return torch.from_numpy(whole).to(part.device)
