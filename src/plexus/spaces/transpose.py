"""The communication of a slab-distributed transform: rows to columns and back, one all-to-all for a batch.

An array (..., n0, n1, *rest) is split over the ranks along axis 0 (*rows*) or along axis 1 (*columns*). Going
from one layout to the other every rank sends every other rank one block. As a linear map this is a
permutation of numbers among ranks, so its adjoint is the way back; `torch.autograd` is told so, and
gradients cross ranks like values do.

Data on a GPU go through MPI directly where the library can take device pointers, otherwise through pinned
host memory; those copies are counted in `plexus.devices.transfers`.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.devices.transfers import transfers

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


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

    def to_columns(self, u: torch.Tensor) -> torch.Tensor:
        """Return (..., n0, own columns, *rest) of (..., own rows, n1, *rest). Collective, differentiable."""
        return _Exchange.apply(u, self, True)

    def to_rows(self, u: torch.Tensor) -> torch.Tensor:
        """Return (..., own rows, n1, *rest) of (..., n0, own columns, *rest). Collective, differentiable."""
        return _Exchange.apply(u, self, False)

    def exchange(self, u: torch.Tensor, to_columns: bool) -> torch.Tensor:
        """Send a block of ``u`` to every rank and put the received ones together. Collective."""
        cut, join = (-self.dim + 1, -self.dim) if to_columns else (-self.dim, -self.dim + 1)
        parts, origin = (self.columns, self.rows) if to_columns else (self.rows, self.columns)
        start, stop = parts[self.comm.rank]
        blocks = [u.narrow(cut, a, b - a) for a, b in parts]
        counts = [block.numel() for block in blocks]
        # what comes has the own part of the cut axis and, in turn, every rank's part of the other one
        shapes = []
        for a, b in origin:
            shape = list(u.shape)
            shape[cut], shape[join] = stop - start, b - a
            shapes.append(tuple(shape))
        expected = [math.prod(shape) for shape in shapes]
        send = torch.cat([block.reshape(-1) for block in blocks])
        flat = self._alltoall(send, counts, expected)
        pieces = [p.reshape(s) for p, s in zip(flat.split(expected), shapes, strict=True)]
        return torch.cat(pieces, dim=join)

    def _alltoall(self, send: torch.Tensor, counts: list[int], expected: list[int]) -> torch.Tensor:
        """Return what the ranks sent to this one, one after the other."""
        received = torch.empty(sum(expected), dtype=send.dtype, device=send.device)
        if send.device.type == "cpu":
            self._mpi(_host(send), counts, _host(received), expected)
        elif takes_device_pointers():
            torch.cuda.current_stream(send.device).synchronize()
            self._mpi(send, counts, received, expected)
        else:
            self._staged(send, counts, received, expected)
        return received

    def _staged(
        self, send: torch.Tensor, counts: list[int], received: torch.Tensor, expected: list[int]
    ) -> None:
        """Exchange device arrays through pinned host memory."""
        out = torch.empty(send.shape, dtype=send.dtype, pin_memory=True)
        back = torch.empty(received.shape, dtype=send.dtype, pin_memory=True)
        # the kernels that fill the array are not part of the copy's time
        torch.cuda.current_stream(send.device).synchronize()
        with transfers.timed("to_host", send.nbytes):
            out.copy_(send)
        self._mpi(_host(out), counts, _host(back), expected)
        with transfers.timed("to_device", received.nbytes):
            received.copy_(back)

    def _mpi(self, send: Any, counts: list[int], received: Any, expected: list[int]) -> None:
        from mpi4py import MPI

        self.comm.Alltoallv([send, counts, _mpi_type(MPI, send)], [received, expected, _mpi_type(MPI, send)])


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
    return tensor.detach().resolve_conj().numpy()


def _mpi_type(mpi: Any, array: Any) -> Any:
    """Return MPI's type of an array's numbers."""
    name = str(array.dtype).removeprefix("torch.")
    types = {"complex128": mpi.C_DOUBLE_COMPLEX, "complex64": mpi.C_FLOAT_COMPLEX}
    return (types | {"float64": mpi.DOUBLE, "float32": mpi.FLOAT})[name]


@cache
def takes_device_pointers() -> bool:
    """Return whether the MPI library says that it takes pointers to device memory (Open MPI's query)."""
    from mpi4py import MPI

    try:
        return bool(ctypes.CDLL(MPI.__file__).MPIX_Query_cuda_support())
    except (OSError, AttributeError):
        return False
