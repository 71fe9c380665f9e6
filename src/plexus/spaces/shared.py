"""Sums over ranks that all of them use, and copies of rows on other ranks, differentiable by torch.

Both are linear, and their adjoints are nodes of the graph too, so that tangents go through them. Many of them
at a time stand on a last axis of rows, which travel together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import Function

from plexus.spaces.transpose import gathered

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.mesh.halo import Halo

Tensor = torch.Tensor


class Total(Function):
    """Sum of the ranks' parts, used by all ranks: the gradient of a part is the sum of theirs."""

    @staticmethod
    def forward(part: Tensor, comm: Comm) -> Tensor:
        """Return the sum over ranks, the same tensor everywhere. Collective."""
        return gathered(part, comm).sum(dim=0)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the ranks."""
        ctx.comm = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the sum of the ranks' gradients. Collective."""
        return Total.apply(gradient, ctx.comm), None

    @staticmethod
    def vmap(info: Any, axes: Any, part: Tensor, comm: Comm) -> tuple[Tensor, int]:
        """Return many sums. Collective."""
        return Total.apply(part, comm), axes[0]


def total_over(comm: Comm | None) -> Callable[[Tensor], Tensor] | None:
    """Return what adds up the parts of all ranks, differentiably; None where there is one rank only."""
    if comm is None or comm.size == 1:
        return None

    def total(part: Tensor) -> Tensor:
        found: Tensor = Total.apply(part, comm)
        return found

    return total


class _OfRows(Function):
    """A linear map of rows over ranks."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the exchange."""
        ctx.halo = inputs[1]

    @classmethod
    def many(cls, rows: Tensor, halo: Halo, axis: int) -> tuple[Tensor, int]:
        """Return the images of many arrays of rows, which stand along an axis. Collective."""
        return cls.apply(rows.movedim(axis, -1), halo), -1


class Spread(_OfRows):
    """Own rows with those of ghosts behind them: the gradients of a row's copies add up at its owner."""

    @staticmethod
    def forward(own: Tensor, halo: Halo) -> Tensor:
        """Return (n_local, ...) for own rows (n_owned, ...). Collective."""
        whole = own.new_empty((halo.n_local, *own.shape[1:]))
        whole[: halo.n_owned] = own
        halo.forward(whole.numpy())
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the own rows. Collective."""
        return Gathered.apply(gradient, ctx.halo), None

    @staticmethod
    def vmap(info: Any, axes: Any, own: Tensor, halo: Halo) -> tuple[Tensor, int]:
        """Spread many arrays of rows. Collective."""
        return Spread.many(own, halo, axes[0])


class Gathered(_OfRows):
    """Rows of all copies added up at their owners: the adjoint of `Spread`."""

    @staticmethod
    def forward(whole: Tensor, halo: Halo) -> Tensor:
        """Return own rows (n_owned, ...) for (n_local, ...). Collective."""
        rows = whole.clone(memory_format=torch.contiguous_format)
        halo.reverse_add(rows.numpy())
        return rows[: halo.n_owned]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of all copies. Collective."""
        return Spread.apply(gradient, ctx.halo), None

    @staticmethod
    def vmap(info: Any, axes: Any, whole: Tensor, halo: Halo) -> tuple[Tensor, int]:
        """Gather many arrays of rows. Collective."""
        return Gathered.many(whole, halo, axes[0])
