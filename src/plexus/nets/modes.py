"""The lowest Fourier modes of fields on a grid that is split over ranks in any way.

    û(k) = 1/N Σ_j u_j e^{-2πi k·x_j},     v_j = Re Σ_k w_k v̂(k) e^{2πi k·x_j}

over -m <= k < m along every axis but the last, where 0 <= k < m and w_k (1 for k = 0, else 2) completes the
conjugate half. Few modes come from products with thin matrices instead of a whole transform: each rank sums
its own points, and the partial sums, as many numbers as there are modes, are added over the ranks. Fields are
never gathered, any cut will do, and what travels does not depend on the number of points.

An axis that is not periodic may be continued by zeros behind its end: the matrices then are those of the
longer period, and the zeros need neither memory nor an owner. A grid that does not hold all modes keeps those
below half its points; the weights of the others rest.

Source: Z. Li et al., Fourier neural operator for parametric partial differential equations, 2021,
doi:10.48550/arXiv.2010.08895.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Total = Callable[[Tensor], Tensor]
"""Sum of a tensor over the ranks of a grid, differentiable."""


@dataclass(frozen=True)
class Axis:
    """One direction of a grid and the points of this rank along it.

    Attributes
    ----------
    points :
        Points of the whole grid.
    own :
        First point of this rank and the one behind its last; all of them where it is absent.
    closed :
        Whether first and last point stand on the ends of the domain; else points are middles of cells.
    padding :
        Length of the zeros behind the domain, as a share of its own length.
    """

    points: int
    own: tuple[int, int] | None = None
    closed: bool = False
    padding: float = 0.0

    @property
    def index(self) -> Tensor:
        """Return the numbers of the own points, float64."""
        return torch.arange(*(self.own or (0, self.points)), dtype=torch.float64)

    @property
    def places(self) -> Tensor:
        """Return the own points as shares of the domain, float64."""
        return self.index / (self.points - 1) if self.closed else (self.index + 0.5) / self.points

    @property
    def period(self) -> float:
        """Return the period in steps of the grid, zeros included."""
        return (self.points - self.closed) * (1 + self.padding)

    def held(self, modes: int, half: bool) -> tuple[int, int]:
        """Return the first of so many modes that the grid holds and the one behind the last."""
        n = math.floor(self.period * (1 + 1e-12))
        return (0 if half else -min(modes, n // 2)), min(modes, (n + 1) // 2)


class Modes:
    """The kept modes of a grid.

    Parameters
    ----------
    axes :
        The grid, one to three directions.
    modes :
        Modes per direction and sign.
    like :
        A tensor of the precision and device of the network.
    total :
        Sum over the ranks that share the grid; absent for a grid on one rank.
    """

    def __init__(self, axes: Sequence[Axis], modes: Sequence[int], like: Tensor, total: Total | None = None):
        *others, last = axes
        self.dim, self.total = len(axes), total
        ranges = [a.held(m, a is last) for a, m in zip(axes, modes, strict=True)]
        self.kept = [slice(low + m * (a is not last), high + m * (a is not last))
                     for a, m, (low, high) in zip(axes, modes, ranges, strict=True)]  # fmt: skip
        self.sizes = [high - low for low, high in ranges]
        kind = torch.complex128 if like.dtype == torch.float64 else torch.complex64
        waves = [_waves(a, *held) for a, held in zip(others, ranges, strict=False)]
        self.to = [(w.conj() / a.period).to(like.device, kind) for a, w in zip(others, waves, strict=True)]
        self.back = [w.T.contiguous().to(like.device, kind) for w in waves]
        # along the last axis fields are real: real and imaginary parts of its modes side by side
        wave = _waves(last, *ranges[-1])
        double = torch.where(torch.arange(*ranges[-1]) > 0, 2.0, 1.0).double()[:, None]
        pairs = torch.view_as_real(wave.conj() / last.period).transpose(1, 2).flatten(0, 1)
        self.to_last = pairs.T.contiguous().to(like)
        self.back_last = torch.view_as_real(double * wave.conj()).transpose(1, 2).flatten(0, 1).to(like)

    def analyse(self, u: Tensor) -> Tensor:
        """Return the modes (..., *modes) of the whole grid for own points (..., *points). Collective."""
        hat = torch.view_as_complex((u @ self.to_last).unflatten(-1, (-1, 2)))
        for axis, matrix in zip(range(-2, -self.dim - 1, -1), reversed(self.to), strict=True):
            hat = _along(matrix, hat, axis)
        return hat if self.total is None else self.total(hat)

    def synthesise(self, hat: Tensor) -> Tensor:
        """Return values at the own points (..., *points) of modes (..., *modes)."""
        for axis, matrix in zip(range(-self.dim, -1), self.back, strict=True):
            hat = _along(matrix, hat, axis)
        return torch.view_as_real(hat.resolve_conj()).flatten(-2) @ self.back_last

    def mix(self, hat: Tensor, weight: Tensor) -> Tensor:
        """Return Σ_i R_io(k) û_i(k), (outputs, ..., *modes), of modes (inputs, ..., *modes).

        ``weight`` (inputs, outputs, *all modes, 2) has those that the grid does not hold, too.
        """
        r = torch.view_as_complex(weight[(slice(None), slice(None), *self.kept)].contiguous())
        inputs, outputs = r.shape[:2]
        many = hat.reshape(inputs, -1, math.prod(self.sizes)).permute(2, 1, 0)
        mixed = torch.bmm(many, r.reshape(inputs, outputs, -1).permute(2, 0, 1))
        return mixed.permute(2, 1, 0).reshape(outputs, *hat.shape[1:])

    def convolve(self, u: Tensor, weight: Tensor) -> Tensor:
        """Return the spectral layer of fields (inputs, ..., *points), (outputs, ..., *points). Collective."""
        return self.synthesise(self.mix(self.analyse(u), weight))


def count(modes: Sequence[int]) -> list[int]:
    """Return how many modes the weights have along each axis."""
    return [*(2 * m for m in modes[:-1]), modes[-1]]


def spread(u: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Return the coordinates (d, ..., *points), as shares of the domain, of (channels, ..., *points)."""
    places = torch.meshgrid(*[a.places.to(u) for a in axes], indexing="ij")
    return torch.stack([p.expand(u.shape[1:]) for p in places])


def _waves(axis: Axis, low: int, high: int) -> Tensor:
    """Return e^{2πi k j / period}, (modes, own points)."""
    k = torch.arange(low, high, dtype=torch.float64)[:, None]
    # whole turns are taken off before 2π comes in: many points cost no digits
    turns = torch.remainder(k * axis.index, axis.period) / axis.period
    return torch.polar(torch.ones((), dtype=torch.float64), 2 * math.pi * turns)


def _along(matrix: Tensor, u: Tensor, axis: int) -> Tensor:
    """Return a matrix times an axis of an array."""
    return (matrix @ u.movedim(axis, -2)).movedim(-2, axis)
