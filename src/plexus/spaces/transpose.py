"""The communication of a slab-distributed transform: rows to columns and back, one all-to-all for a batch.

An array (..., n0, n1, *rest) is split over the ranks along axis 0 (*rows*) or along axis 1 (*columns*). Going
from one layout to the other every rank sends every other rank one block. As a linear map this is a
permutation of numbers among ranks, so its adjoint is the way back; `torch.autograd` is told so, and
gradients cross ranks like values do.

Host arrays are exchanged in place: MPI's subarray types describe the blocks, so that nothing is packed. Data
on a GPU go through MPI directly where the library can take device pointers, packed by the device; otherwise
through pinned host memory, by copies that are counted in `plexus.devices.transfers`.
"""

from __future__ import annotations

import ctypes
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.devices.transfers import transfers

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Blocks = tuple[int, list[tuple[int, int]]]
"""An axis and (start, stop) of every rank's part of it."""


def split(n: int, size: int) -> list[tuple[int, int]]:
    """Return (start, stop) of each of ``size`` parts of ``n`` items; lengths differ by at most one."""
    edges = [(n * r) // size for r in range(size + 1)]
    return list(pairwise(edges))


class Transpose:
    """Exchange between rows and columns of arrays (..., n0, n1, *rest).

    Parameters
    ----------
    comm:
        The ranks that share the arrays.
    shape:
        Global (n0, n1, *rest).
    """

    def __init__(self, comm: Comm, shape: tuple[int, ...]):
        self.comm, self.shape, self.dim = comm, shape, len(shape)
        self.rows = split(shape[0], comm.size)
        self.columns = split(shape[1], comm.size)
        self._types: dict[tuple[Any, ...], list[Any]] = {}

    def to_columns(self, u: torch.Tensor) -> torch.Tensor:
        """Return (..., n0, own columns, *rest) of (..., own rows, n1, *rest). Collective, differentiable."""
        return _Exchange.apply(u, self, True)

    def to_rows(self, u: torch.Tensor) -> torch.Tensor:
        """Return (..., own rows, n1, *rest) of (..., n0, own columns, *rest). Collective, differentiable."""
        return _Exchange.apply(u, self, False)

    def exchange(self, u: torch.Tensor, to_columns: bool) -> torch.Tensor:
        """Send a block of ``u`` to every rank and put the received ones together. Collective."""
        cut, join = (1 - self.dim, -self.dim) if to_columns else (-self.dim, 1 - self.dim)
        parts, origin = (self.columns, self.rows) if to_columns else (self.rows, self.columns)
        start, stop = parts[self.comm.rank]
        shape = list(u.shape)
        # what comes has the own part of the cut axis and, in turn, every rank's part of the other one
        shape[cut], shape[join] = stop - start, origin[-1][1]
        u, new = u.resolve_conj().contiguous(), u.new_empty(shape)
        if u.device.type == "cpu":
            self._swap_host(u, new, (cut, parts), (join, origin))
        elif takes_device_pointers():
            self._swap_device(u, new, (cut, parts), (join, origin))
        else:
            self._swap_staged(u, new, (cut, parts), (join, origin))
        return new

    def _swap_host(self, u: torch.Tensor, new: torch.Tensor, cut: Blocks, join: Blocks) -> None:
        """Exchange the blocks where they lie."""
        ones, zeros = [1] * self.comm.size, [0] * self.comm.size
        sides = [[_host(a), (ones, zeros), self._subarrays(a, *way)] for a, way in ((u, cut), (new, join))]
        self.comm.Alltoallw(*sides)

    def _subarrays(self, array: torch.Tensor, axis: int, parts: list[tuple[int, int]]) -> list[Any]:
        """Return MPI's types of an array's blocks along one axis, made once per shape."""
        key = (*array.shape, array.dtype, axis)
        if key not in self._types:
            shape, base, found = list(array.shape), _mpi_type(array), []
            for start, stop in parts:
                part, first = shape.copy(), [0] * len(shape)
                part[axis], first[axis] = stop - start, start
                found.append(base.Create_subarray(shape, part, first).Commit())
            self._types[key] = found
        return self._types[key]

    def _swap_device(self, u: torch.Tensor, new: torch.Tensor, cut: Blocks, join: Blocks) -> None:
        """Exchange packed blocks by device pointers; the own block takes no detour."""
        out, into = ([a.narrow(way[0], i, j - i) for i, j in way[1]] for a, way in ((u, cut), (new, join)))
        into[self.comm.rank].copy_(out[self.comm.rank])
        counts, expected = ([b.numel() * (i != self.comm.rank) for i, b in enumerate(x)] for x in (out, into))
        send, received = (u.new_empty(sum(n)) for n in (counts, expected))
        for piece, block in zip(send.split(counts), out, strict=True):
            piece.copy_(block.reshape(-1)[: piece.numel()])
        # MPI reads what the stream's kernels have written
        torch.cuda.current_stream(u.device).synchronize()
        self.comm.Alltoallv([send, counts, _mpi_type(u)], [received, expected, _mpi_type(u)])
        for piece, block in zip(received.split(expected), into, strict=True):
            if piece.numel():
                block.copy_(piece.view(block.shape))

    def _swap_staged(self, u: torch.Tensor, new: torch.Tensor, cut: Blocks, join: Blocks) -> None:
        """Exchange through pinned host memory."""
        out, back = (torch.empty(a.shape, dtype=a.dtype, pin_memory=True) for a in (u, new))
        # the kernels that fill the array are not part of the copy's time
        torch.cuda.current_stream(u.device).synchronize()
        with transfers.timed("to_host", u.nbytes):
            out.copy_(u)
        self._swap_host(out, back, cut, join)
        with transfers.timed("to_device", new.nbytes):
            new.copy_(back)


class _Exchange(torch.autograd.Function):
    """The exchange as a node of the graph; its adjoint is the exchange the other way."""

    @staticmethod
    def forward(ctx: Any, u: torch.Tensor, transpose: Transpose, to_columns: bool) -> torch.Tensor:
        ctx.transpose, ctx.to_columns = transpose, to_columns
        return transpose.exchange(u, to_columns)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return _Exchange.apply(gradient, ctx.transpose, not ctx.to_columns), None, None


class Sum(torch.autograd.Function):
    """Sum over ranks of one loss that every rank then holds: each rank's part gets the loss's gradient."""

    @staticmethod
    def forward(ctx: Any, part: torch.Tensor, comm: Comm) -> torch.Tensor:
        """Return the sum over ranks, the same tensor everywhere. Collective."""
        # gathered and added in the order of ranks: MPI's own sum may differ between repetitions
        return gathered(part, comm).sum(dim=0)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the gradient unchanged."""
        return gradient, None


def gathered(part: torch.Tensor, comm: Comm) -> torch.Tensor:
    """Return every rank's tensor of one shape, (ranks, *shape), on the device. Collective."""
    host = part.detach().cpu().contiguous()
    parts = torch.empty((comm.size, *host.shape), dtype=host.dtype)
    comm.Allgather(_host(host), _host(parts))
    return parts.to(part.device)


def _host(tensor: torch.Tensor) -> np.ndarray:
    """Return the memory of a CPU tensor as an array."""
    return tensor.detach().numpy()


def _mpi_type(tensor: torch.Tensor) -> Any:
    """Return MPI's type of a tensor's numbers."""
    from mpi4py import MPI

    types = {torch.complex128: MPI.C_DOUBLE_COMPLEX, torch.complex64: MPI.C_FLOAT_COMPLEX}
    return (types | {torch.float64: MPI.DOUBLE, torch.float32: MPI.FLOAT})[tensor.dtype]


@cache
def takes_device_pointers() -> bool:
    """Return whether the MPI library says that it takes pointers to device memory (Open MPI's query)."""
    from mpi4py import MPI

    try:
        return bool(ctypes.CDLL(MPI.__file__).MPIX_Query_cuda_support())
    except (OSError, AttributeError):
        return False
