"""Sums over ranks whose result every rank goes on using, differentiable by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from plexus.spaces.transpose import gathered

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


class Total(torch.autograd.Function):
    """Sum of the ranks' parts, used by all ranks: the gradient of a part is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, part: torch.Tensor, comm: Comm) -> torch.Tensor:
        """Return the sum over ranks, the same tensor everywhere. Collective."""
        ctx.comm = comm
        return gathered(part, comm).sum(dim=0)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the sum of the ranks' gradients. Collective."""
        return gathered(gradient, ctx.comm).sum(dim=0), None
