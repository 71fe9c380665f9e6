"""Sums over ranks that all of them use, and copies of rows on other ranks, differentiable by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from plexus.spaces.transpose import gathered

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.mesh.halo import Halo


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


class Spread(torch.autograd.Function):
    """Own rows with those of ghosts behind them: the gradients of a row's copies add up at its owner."""

    @staticmethod
    def forward(ctx: Any, own: torch.Tensor, halo: Halo) -> torch.Tensor:
        """Return (n_local, ...) for own rows (n_owned, ...). Collective."""
        ctx.halo = halo
        whole = own.new_empty((halo.n_local, *own.shape[1:]))
        whole[: halo.n_owned] = own
        halo.forward(whole.numpy())
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the gradient of the own rows. Collective."""
        whole = gradient.contiguous().clone()
        ctx.halo.reverse_add(whole.numpy())
        return whole[: ctx.halo.n_owned], None
