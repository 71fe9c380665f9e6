"""Slabs of cells over the ranks, with layers of their neighbours' cells: tensors (..., *cells).

As a linear map the exchange copies numbers to other ranks; its adjoint brings gradients back and adds them,
so that `torch.autograd` goes through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from plexus.devices.tensors import to_device, to_host
from plexus.errors import InputError
from plexus.spaces.transpose import split

if TYPE_CHECKING:
    from plexus.mesh.grid import Grid


class Slab:
    """The cells of one rank: a range of the first axis.

    Attributes
    ----------
    rows : first cell along the first axis, and the one behind the last.
    shape : own cells per axis.
    lowest, highest : whether the slab touches the box's lower or upper side, where the axis ends.
    """

    def __init__(self, grid: Grid, device: str = "cpu"):
        self.grid, self.comm, self.device, self.dim = grid, grid.comm, device, grid.dim
        self.rows = split(grid.cells[0], grid.comm.size)[grid.comm.rank]
        self.shape = (self.rows[1] - self.rows[0], *grid.cells[1:])
        ends, last = grid.ends(0), grid.comm.size - 1
        self.lowest, self.highest = ends and grid.comm.rank == 0, ends and grid.comm.rank == last

    def require(self, width: int) -> None:
        """Refuse slabs or axes thinner than the layers that they exchange.

        Raises
        ------
        InputError
            On all ranks.
        """
        ranks, needed = self.comm.size, max(width, 1)
        if self.grid.cells[0] // ranks < needed:
            raise InputError(
                f"mesh.cells: {self.grid.cells[0]} cells along x on {ranks} rank{'s' * (ranks > 1)}; "
                f"this reconstruction needs {needed} on each"
            )
        for axis, n in enumerate(self.grid.cells):
            if n < needed:
                raise InputError(
                    f"mesh.cells: {n} cells along {'xyz'[axis]}; this reconstruction needs {needed}"
                )

    def neighbours(self, u: torch.Tensor, width: int) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the layers before and behind the slab, None beyond a side. Collective, differentiable."""
        axis, n = -self.dim, self.shape[0]
        first, last = u.narrow(axis, 0, width), u.narrow(axis, n - width, width)
        if self.comm.size == 1:
            return (None, None) if self.grid.ends(0) else (last, first)
        before, behind = _Swap.apply(first, last, self)
        return None if self.lowest else before, None if self.highest else behind

    def extended(self, u: torch.Tensor, width: int) -> torch.Tensor:
        """Return the slab with its neighbours' layers, none beyond a side. Collective, differentiable."""
        before, behind = self.neighbours(u, width)
        return torch.cat([part for part in (before, u, behind) if part is not None], dim=-self.dim)

    def swap(self, first: torch.Tensor, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Send layers down and up, return those of the rank before and behind; zero at sides. Collective."""
        from mpi4py import MPI

        comm, size = self.comm, self.comm.size
        down = MPI.PROC_NULL if self.lowest else (comm.rank - 1) % size
        up = MPI.PROC_NULL if self.highest else (comm.rank + 1) % size
        low, high = to_host(first.contiguous()), to_host(last.contiguous())
        behind, before = (
            torch.zeros(first.shape, dtype=first.dtype),
            torch.zeros(last.shape, dtype=last.dtype),
        )
        comm.Sendrecv(low, down, 0, behind.numpy(), up, 0)
        comm.Sendrecv(high, up, 1, before.numpy(), down, 1)
        return to_device(before.numpy(), self.device), to_device(behind.numpy(), self.device)


class _Swap(torch.autograd.Function):
    """The exchange as a node of the graph."""

    @staticmethod
    def forward(ctx: Any, first: torch.Tensor, last: torch.Tensor, slab: Slab) -> Any:
        ctx.slab = slab
        return slab.swap(first, last)

    @staticmethod
    def backward(ctx: Any, before: torch.Tensor, behind: torch.Tensor) -> Any:
        # what came from the rank before goes back down, where it belongs to the last layers
        first, last = _Swap.apply(before, behind, ctx.slab)
        return first, last, None
