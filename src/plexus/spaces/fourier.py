"""Periodic fields on a box as Fourier series, on slabs over the ranks and on each rank's device.

    u(x) = Σ_k û(k) e^{ik·x},   û(k) = mean of u(x) e^{-ik·x} over the box

so mode 0 is the mean and Parseval reads mean |u|² = Σ |û|². Index order is coordinate order: u[..., i, j, k]
sits at (i dx, j dy, k dz). Physical fields are split over ranks along axis 0 (`Fourier.rows`), spectral ones
along axis 1 (`Fourier.columns`); a transform costs one all-to-all for a whole batch of fields, and none on
one rank. All of it is differentiable by torch, across ranks too.

The dealiasing masks are the sharp two-thirds rule, |n_i| < N_i/3, exact for quadratic products, and the
smooth filter exp(-36 Σ_i (2 n_i/N_i)^36) of T. Y. Hou, R. Li, J. Comput. Phys. 226 (2007) 379-397,
doi:10.1016/j.jcp.2007.04.014.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import torch

from plexus.devices import memory, threads
from plexus.errors import InputError
from plexus.spaces.controls import Controls, Level, Sampled
from plexus.spaces.transforms import Along, Local
from plexus.spaces.transpose import Sum, Transpose, gathered, split

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Dealias = Literal["two_thirds", "smooth36", "none"]
TOGETHER = 1 << 17
"""Numbers of a rank's batches that are worth putting together for one exchange."""


class GridPlace:
    """Grid points as expressions see them (`plexus.protocols.GridPoint`): unknowns and controls.

    Parameters
    ----------
    space
        The box.
    t
        Time [s].
    unknowns
        Samples of the model's own fields.
    """

    def __init__(self, space: Fourier, t: float, unknowns: Mapping[str, Level]):
        self.space, self.t, self.unknowns, self.dim = space, t, unknowns, space.dim
        self.one = torch.ones((), dtype=space.dtype, device=space.device)

    @property
    def x(self) -> torch.Tensor:
        """Coordinates (*shape, d)."""
        return torch.stack(torch.broadcast_tensors(*self.space.points()), -1)

    @property
    def fields(self) -> dict[str, Any]:
        """Samples of controls and unknowns."""
        return {**self.space.given.at(self), **self.unknowns}

    def window(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values of a control at the points, (*shape)."""
        return values.reshape(self.space.shape)


class Fourier:
    """Fourier series on a periodic box.

    Parameters
    ----------
    cells:
        Grid points per direction (1 to 3 directions; several ranks need at least 2).
    lengths:
        Sides of the box.
    comm:
        Ranks that share the fields; None for this process alone.
    device:
        Torch's name of the device that holds the fields.
    real:
        Whether fields are real: then only half of the last axis' modes are kept.
    dealias:
        What `mask` holds.
    dtype:
        ``torch.float64`` or ``torch.float32``: precision of fields and modes.

    Raises
    ------
    InputError
        If a rank would hold no row or no column, or the numbers of cells and lengths differ.
    """

    def __init__(
        self,
        cells: Sequence[int],
        lengths: Sequence[float],
        comm: Comm | None = None,
        device: str = "cpu",
        real: bool = False,
        dealias: Dealias = "two_thirds",
        dtype: torch.dtype = torch.float64,
    ):
        self.cells = tuple(int(n) for n in cells)
        self.lengths = tuple(float(length) for length in lengths)
        self.comm, self.device, self.real = comm, device, real
        self.dealias, self.dtype, self.dim = dealias, dtype, len(self.cells)
        self.complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
        self.axes = tuple(range(-self.dim, 0))
        self.modes = (*self.cells[:-1], self.cells[-1] // 2 + 1) if real else self.cells
        self.size, self.rank = (comm.size, comm.rank) if comm is not None else (1, 0)
        self._check()
        threads.settle()
        if device == "cpu":
            memory.keep()
        self.transpose = Transpose(comm, self.modes) if comm is not None and self.size > 1 else None
        # on one rank all axes are at hand, otherwise all but the first
        mine = self.cells if self.transpose is None else self.cells[1:]
        self._local, self._local_back = Local(mine, real), Local(mine, real, inverse=True)
        self._along = Along(self.cells[0], self.dim)
        self._along_back = Along(self.cells[0], self.dim, inverse=True)
        self.rows = split(self.cells[0], self.size)[self.rank]
        self.columns = split(self.modes[1], self.size)[self.rank] if self.dim > 1 else (0, 1)
        self.shape = (self.rows[1] - self.rows[0], *self.cells[1:])
        self.given = Sampled(Controls())
        self.hat_shape = self.modes
        if self.dim > 1:
            self.hat_shape = (self.modes[0], self.columns[1] - self.columns[0], *self.modes[2:])

    def _check(self) -> None:
        """Refuse boxes that do not fit the ranks."""
        if len(self.lengths) != self.dim or self.dim not in (1, 2, 3):
            raise InputError(f"a box needs one length per direction: {self.cells} cells, {self.lengths} long")
        if self.dim == 1 and self.size > 1:
            raise InputError(
                f"a grid with one axis is not shared between ranks: use 1 rank instead of {self.size}"
            )
        room = self.size if self.dim == 1 else min(self.cells[0], self.modes[1])
        if self.size > room:
            raise InputError(
                f"{self.size} ranks are too many for {' x '.join(map(str, self.cells))} cells: "
                f"each rank needs a row and a column of modes, so at most {room}"
            )

    def sibling(self, real: bool) -> Fourier:
        """Return the space of real or complex fields on the same box, ranks and device."""
        if real == self.real:
            return self
        made = Fourier(self.cells, self.lengths, self.comm, self.device, real, self.dealias, self.dtype)
        return made.reading(self.given)

    def reading(self, given: Sampled) -> Fourier:
        """Return the same space, where expressions read controls with these values."""
        other = copy(self)
        other.given = given
        return other

    def place(self, t: float, fields: Mapping[str, torch.Tensor] | None = None) -> GridPlace:
        """Return the own grid points with real fields (..., *shape), of vectors (..., *shape, m)."""
        return GridPlace(self, t, {name: Level(u) for name, u in (fields or {}).items()})

    # transforms

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """Return the modes (..., *hat_shape) of fields (..., *shape). Collective."""
        modes = self._local(u)
        return modes if self.transpose is None else self._along(self.transpose.to_columns(modes), free=True)

    def forward_each(self, *fields: torch.Tensor) -> list[torch.Tensor]:
        """Return the modes of several batches of fields, with one exchange if they are small. Collective."""
        # large ones take longer to put together than to send one after the other
        if self.transpose is None or sum(u.numel() for u in fields) > TOGETHER:
            return [self.forward(u) for u in fields]
        halves = [self._local(u) for u in fields]
        flat = [half.reshape(-1, *half.shape[-self.dim :]) for half in halves]
        modes = self._along(self.transpose.to_columns(torch.cat(flat)), free=True)
        parts = modes.split([len(part) for part in flat])
        return [
            part.reshape(*u.shape[: -self.dim], *self.hat_shape)
            for part, u in zip(parts, fields, strict=True)
        ]

    def inverse(self, hat: torch.Tensor) -> torch.Tensor:
        """Return the fields (..., *shape) of modes (..., *hat_shape). Collective."""
        if self.transpose is None:
            return self._local_back(hat)
        return self._local_back(self.transpose.to_rows(self._along_back(hat)), free=True)

    # wave numbers; all of them broadcast to hat_shape

    @cached_property
    def numbers(self) -> tuple[torch.Tensor, ...]:
        """Integer mode numbers n_i, one tensor per direction."""
        found = []
        for axis, n in enumerate(self.cells):
            halved = self.real and axis == self.dim - 1
            values = torch.arange(n // 2 + 1) if halved else torch.fft.fftfreq(n, 1 / n).round().long()
            if axis == 1:
                values = values[self.columns[0] : self.columns[1]]
            found.append(self._vector(values, axis))
        return tuple(found)

    @cached_property
    def k(self) -> tuple[torch.Tensor, ...]:
        """Angular wave numbers k_i = 2π n_i / L_i, one tensor per direction."""
        return tuple(2 * math.pi / length * n for n, length in zip(self.numbers, self.lengths, strict=True))

    @cached_property
    def k2(self) -> torch.Tensor:
        """|k|², of hat_shape."""
        total = torch.zeros(self.hat_shape, dtype=self.dtype, device=self.device)
        for k in self.k:
            total = total + k * k
        return total

    @cached_property
    def inverse_k2(self) -> torch.Tensor:
        """1/|k|², and 0 for the mean: the solution operator of -∇² among fields without mean."""
        return torch.where(self.k2 > 0, 1 / self.k2, 0)

    @cached_property
    def _ik(self) -> tuple[torch.Tensor, ...]:
        # the mode N/2 of an even N stands for ±N/2 at once: its derivative vanishes at the grid points
        pairs = zip(self.k, self.numbers, self.cells, strict=True)
        odd = [k * (2 * n.abs() != cells) for k, n, cells in pairs]
        return tuple(torch.complex(torch.zeros_like(k), k) for k in odd)

    def ik(self, axis: int) -> torch.Tensor:
        """Return the symbol ik_i of the derivative along ``axis``."""
        return self._ik[axis]

    @cached_property
    def mask(self) -> torch.Tensor:
        """Factor on the modes of products that removes what aliasing spoils."""
        one = torch.ones(self.hat_shape, dtype=self.dtype, device=self.device)
        pairs = list(zip(self.numbers, self.cells, strict=True))
        if self.dealias == "two_thirds":
            for n, cells in pairs:
                one = one * (3 * n.abs() < cells)
        elif self.dealias == "smooth36":
            for n, cells in pairs:
                one = one * torch.exp(-36 * (2 * n.abs() / cells) ** 36)
        return one

    @cached_property
    def weight(self) -> torch.Tensor:
        """How many modes of the full series a kept mode stands for: 2 inside a halved axis, else 1."""
        if not self.real:
            return torch.ones((1,) * self.dim, dtype=self.dtype, device=self.device)
        n = self.numbers[-1]
        return torch.where((n == 0) | (2 * n == self.cells[-1]), 1.0, 2.0).to(self.dtype)

    # the grid and what is summed over it

    def points(self) -> tuple[torch.Tensor, ...]:
        """Return the coordinates of the own grid points, one tensor per direction (they broadcast)."""
        found = []
        for axis, (n, length) in enumerate(zip(self.cells, self.lengths, strict=True)):
            start, stop = self.rows if axis == 0 else (0, n)
            found.append(self._vector(torch.arange(start, stop, dtype=torch.float64) * (length / n), axis))
        return tuple(found)

    def mean(self, u: torch.Tensor) -> torch.Tensor:
        """Return the mean over the box of fields (..., *shape), one number per field. Collective."""
        return self.sum(u.sum(dim=self.axes)) / math.prod(self.cells)

    def inner(self, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return the mean of conj(u)·v over the box, summed over all leading axes. Collective."""
        return self.sum((u.conj() * v).sum()) / math.prod(self.cells)

    def power(self, hat: torch.Tensor) -> torch.Tensor:
        """Return mean |u|² of fields given by modes (..., *hat_shape), one number per field. Collective."""
        square = (hat.real**2 + hat.imag**2) if hat.is_complex() else hat**2
        return self.sum((self.weight * square).sum(dim=self.axes))

    def shares(self, *stages: torch.Tensor) -> list[float]:
        """Return what each of several modes lacks of those before, as a share of mean |u|² of the first.

        Collective.
        """
        stages = tuple(stage.detach() for stage in stages)
        whole = float(self.power(stages[0]).sum())
        gone = [float(self.power(before - after).sum()) for before, after in pairwise(stages)]
        return [share / whole if whole else 0.0 for share in gone]

    def max(self, u: torch.Tensor) -> torch.Tensor:
        """Return the largest value over the box, one number per field. Collective."""
        part = u.detach().amax(dim=self.axes)
        return part if self.comm is None or self.size == 1 else gathered(part, self.comm).amax(dim=0)

    def sum(self, part: torch.Tensor) -> torch.Tensor:
        """Return the sum over ranks of each rank's number. Collective, differentiable."""
        return part if self.comm is None or self.size == 1 else Sum.apply(part, self.comm)

    def gather(self, u: torch.Tensor) -> torch.Tensor:
        """Return whole fields (..., *cells) on every rank, on the CPU. Collective."""
        return self._gathered(u, self.axes[0])

    def gather_hat(self, hat: torch.Tensor) -> torch.Tensor:
        """Return all modes on every rank, on the CPU. Collective."""
        return self._gathered(hat, self.axes[0] + 1)

    def own(self, whole: torch.Tensor) -> torch.Tensor:
        """Return this rank's rows of whole fields (..., *cells), on the device."""
        return whole.narrow(self.axes[0], self.rows[0], self.shape[0]).to(self.device)

    def _gathered(self, part: torch.Tensor, axis: int) -> torch.Tensor:
        part = part.detach().cpu()
        if self.comm is None or self.size == 1:
            return part
        pieces = self.comm.allgather(part.resolve_conj().contiguous().numpy())
        return torch.cat([torch.from_numpy(p) for p in pieces], dim=axis)

    def _vector(self, values: torch.Tensor, axis: int) -> torch.Tensor:
        """Return a vector as an array along one grid axis, on the device."""
        shape = [1] * self.dim
        shape[axis] = -1
        return values.to(self.dtype).reshape(shape).to(self.device)
