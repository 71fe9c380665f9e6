"""Fourier transforms of what one rank holds: compiled on the CPU, torch's own elsewhere; both differentiable.

`Local` transforms the last axes of a batch, `Along` one axis with others behind it. Compiled transforms serve
double precision, for lengths with prime factors 2, 3 and 5: they are up to three times as fast as those of
the library that torch brings, most of all from modes to real fields. Everything else goes to `torch.fft`.

The adjoint of a complex transform is its inverse with the same factor. From real fields to modes and back it
is the other transform, with the modes that stand for two of them counted by `Local.weights`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import torch

from plexus.spaces.transpose import split
from plexus_kernels.native import fourier as compiled
from plexus_kernels.native.loader import usable

SMALL = 1 << 17
"""Numbers of a batch above which its members are dealt out to the threads that torch has."""


@dataclass(frozen=True)
class Local:
    """Transform of the last axes, of ``sizes`` points: fields to modes, or back if ``inverse``.

    Modes are means, so that the way back has no factor; ``real`` keeps half of the last axis' modes.
    """

    sizes: tuple[int, ...]
    real: bool = False
    inverse: bool = False
    scale: float = 1.0

    def __call__(self, u: torch.Tensor, free: bool = False) -> torch.Tensor:
        """Return the batch (..., *sizes) or (..., *modes); a ``free`` argument may be overwritten."""
        if self.kind != "real" and not u.is_complex():
            u = torch.complex(u, torch.zeros_like(u))
        if not fits(u, self.sizes) or (self.kind == "real") == u.is_complex():
            return self._by_torch(u)
        if u.requires_grad and torch.is_grad_enabled():
            return _Compiled.apply(u, self)
        return self.compute(u, free)

    @property
    def modes(self) -> tuple[int, ...]:
        """Modes per axis."""
        return (*self.sizes[:-1], self.sizes[-1] // 2 + 1) if self.real else self.sizes

    @property
    def kind(self) -> compiled.Kind:
        """What the rows of the last axis are."""
        return "complex" if not self.real else "modes" if self.inverse else "real"

    @cached_property
    def weights(self) -> torch.Tensor:
        """How many modes each kept mode of a halved last axis stands for."""
        weights = torch.full((self.modes[-1],), 2.0, dtype=torch.float64)
        weights[0] = 1
        if self.sizes[-1] % 2 == 0:
            weights[-1] = 1
        return weights

    def compute(self, u: torch.Tensor, free: bool = False) -> torch.Tensor:
        """Return the compiled transform, in place if ``u`` is ``free`` and complex fields stay complex."""
        u, kind, d = u.resolve_conj().contiguous(), self.kind, len(self.sizes)
        lead = u.shape[: u.dim() - d]
        if free and kind == "complex":
            new = u
        else:
            shape = (*lead, *(self.sizes if self.inverse else self.modes))
            new = u.new_empty(shape, dtype=torch.float64 if kind == "modes" else torch.complex128)
        rows_or_planes = math.prod(lead) * math.prod(self.sizes[:-2])
        if d == 3 and kind == "modes":
            u = self._first(u)
        _share(self._rows if d == 1 else self._planes, u, new, rows_or_planes)
        return self._first(new, free=True) if d == 3 and kind != "modes" else new

    def _rows(self, source: int, target: int, count: int) -> None:
        compiled.rows(self.kind, source, target, count, self.sizes[-1], self.inverse, self._factor)

    def _planes(self, source: int, target: int, count: int) -> None:
        shape = self.sizes[-2], self.sizes[-1]
        compiled.planes(self.kind, source, target, count, shape, self.inverse, self._factor)

    def _first(self, u: torch.Tensor, free: bool = False) -> torch.Tensor:
        """Transform the first of three axes, without a factor."""
        n = self.sizes[0]
        return Along(n, 3, self.inverse, 1.0 if self.inverse else float(n)).compute(u, free)

    @property
    def _factor(self) -> float:
        return self.scale if self.inverse else self.scale / math.prod(self.sizes)

    def adjoint(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient by the argument."""
        # this transform's factor with the other one's sign
        n = math.prod(self.sizes)
        other = replace(
            self, inverse=not self.inverse, scale=self.scale * n if self.inverse else self.scale / n
        )
        if self.real and not self.inverse:
            return other(gradient / self.weights)
        return other(gradient) * self.weights if self.real else other(gradient)

    def _by_torch(self, u: torch.Tensor) -> torch.Tensor:
        axes = tuple(range(-len(self.sizes), 0))
        if self.real and self.inverse:
            new = torch.fft.irfftn(u, s=self.sizes, dim=axes, norm="forward")
        else:
            whole = torch.fft.rfftn if self.real else torch.fft.ifftn if self.inverse else torch.fft.fftn
            new = whole(u, dim=axes, norm="forward")
        return new if self.scale == 1 else new * self.scale


@dataclass(frozen=True)
class Along:
    """Complex transform of axis ``-dim`` of a batch, of ``size`` points."""

    size: int
    dim: int
    inverse: bool = False
    scale: float = 1.0

    def __call__(self, u: torch.Tensor, free: bool = False) -> torch.Tensor:
        """Return the transformed batch, of the same shape; a ``free`` argument may be overwritten."""
        if not fits(u, (self.size,)):
            one = torch.fft.ifft if self.inverse else torch.fft.fft
            new = one(u, dim=-self.dim, norm="forward")
            return new if self.scale == 1 else new * self.scale
        if u.requires_grad and torch.is_grad_enabled():
            return _Compiled.apply(u, self)
        return self.compute(u, free)

    def compute(self, u: torch.Tensor, free: bool = False) -> torch.Tensor:
        """Return the compiled transform, in place if the argument is ``free``."""
        u = u.resolve_conj().contiguous()
        new, place = u if free else torch.empty_like(u), u.dim() - self.dim
        inner = math.prod(u.shape[place + 1 :])
        scale = self.scale if self.inverse else self.scale / self.size

        def columns(source: int, target: int, outer: int) -> None:
            compiled.columns(source, target, outer, self.size, inner, self.inverse, scale)

        _share(columns, u, new, math.prod(u.shape[:place]))
        return new

    def adjoint(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient by the argument."""
        n = self.size
        scale = self.scale * n if self.inverse else self.scale / n
        return replace(self, inverse=not self.inverse, scale=scale)(gradient)


class _Compiled(torch.autograd.Function):
    """A compiled transform as a node of the graph."""

    @staticmethod
    def forward(ctx: Any, u: torch.Tensor, transform: Local | Along) -> torch.Tensor:
        ctx.transform = transform
        return transform.compute(u)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.transform.adjoint(gradient), None


def _share(work: Callable[[int, int, int], None], u: torch.Tensor, new: torch.Tensor, count: int) -> None:
    """Transform ``count`` equal members of ``u`` into ``new``, on several threads where that pays."""
    if not count:
        return
    threads = min(count, torch.get_num_threads()) if u.numel() > SMALL else 1
    if threads == 1:
        work(u.data_ptr(), new.data_ptr(), count)
        return
    before, after = u.nbytes // count, new.nbytes // count
    parts = [(u.data_ptr() + i * before, new.data_ptr() + i * after, j - i) for i, j in split(count, threads)]
    # the compiled functions run without Python's lock
    list(_pool(threads).map(lambda part: work(*part), parts))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def fits(u: torch.Tensor, sizes: tuple[int, ...]) -> bool:
    """Return whether a compiled transform serves an array."""
    return u.is_cpu and u.dtype in (torch.float64, torch.complex128) and _factored(sizes) and _ready()


@cache
def _factored(sizes: tuple[int, ...]) -> bool:
    """Return whether compiled transforms have the factors of these lengths."""
    return all(compiled.radices(n) is not None for n in sizes)


@cache
def _ready() -> bool:
    """Return whether the functions can be compiled here; warn once if not."""
    return usable(compiled.prepare, "compiled transforms are not usable, torch's take over")
