"""Compiled passes over the faces across each axis, and their transposes, as one node of torch's graph.

Means come with the layers of cells that an axis reads, or, where the grid goes around, without them: only
what comes in is kept. With layers beside, an axis is moved before all others, so that a layer of its faces is
one piece of memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import addressof, c_double
from math import prod
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from plexus_kernels.native import transport

Tensor = torch.Tensor
SLOTS = 7
"""Tensors of an axis: means with layers, a, D, then value and slope at the lower and at the upper end."""


class Across(NamedTuple):
    """One axis of an evaluation: what is no tensor.

    Attributes
    ----------
    around : whether the layers at each end are the cells of the other one.
    kinds : what holds at the lower and the upper end.
    a, b, epsilon, h : coefficients of the flux, a where it is a number, ε of the weights js, spacing.
    """

    around: bool
    kinds: list[int]
    a: float
    b: float
    epsilon: float
    h: float


class Stated(NamedTuple):
    """An evaluation without its tensors.

    Attributes
    ----------
    formulas : choices of the kernel.
    shape : that of the means (N, 1, *cells).
    width, beside : layers along an axis that its reconstruction reads, and along the others.
    axes : all of them.
    """

    formulas: transport.Formulas
    shape: torch.Size
    width: int
    beside: int
    axes: list[Across]

    def layers(self, a: int) -> list[tuple[int, int]]:
        """Return (axis from the end, how many) of the layers that means have for axis ``a``."""
        dim = len(self.axes)
        wide = [(b - dim, self.width if b == a else self.beside) for b in range(dim)]
        return [(b, w) for b, w in wide if w]

    def place(self, a: int) -> int:
        """Return where the kernel has axis ``a``: with layers beside it comes first."""
        return 2 if self.beside else 2 + a


class Rates(torch.autograd.Function):
    """The passes of all axes: r = Σ_a r_a, and (∂r/∂θ)ᵀ r̄ of all that comes in."""

    @staticmethod
    def forward(ctx: Any, stated: Stated, u: Tensor, *tensors: Tensor | None) -> Tensor:
        """Return r (N, 1, *cells)."""
        out = torch.zeros(stated.shape, dtype=torch.float64)
        laid = []
        for a, across in enumerate(stated.axes):
            near: Any = u if across.around else tensors[SLOTS * a]
            one = _Axis(stated, a, laid_out(stated, a, near), tensors)
            one.add(out)
            laid.append(one.u)
        # the layers are not laid out again on the way back
        ctx.stated = stated
        ctx.save_for_backward(*laid, *tensors)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        """Return what goes back to the means and to the tensors of all axes."""
        stated, count = ctx.stated, len(ctx.stated.axes)
        saved = ctx.saved_tensors
        laid, tensors = saved[:count], saved[count:]
        total, g, found = None, g.contiguous(), list[Tensor | None]()
        for a, across in enumerate(stated.axes):
            one = _Axis(stated, a, laid[a], tensors)
            to, others = one.transposed(g, ctx.needs_input_grad[2 + SLOTS * a :])
            if across.around:
                part = one.gathered(to)
                total = part if total is None else total.add_(part)
            found += [None if across.around else to, *others]
        return None, total, *found


class _Axis:
    """One axis for the compiled kernel; alive as long as the kernel reads it."""

    def __init__(self, stated: Stated, a: int, u: Tensor, tensors: Sequence[Any]):
        self.u = u
        _, self.a, self.d, *self.sides = tensors[SLOTS * a : SLOTS * (a + 1)]
        across = stated.axes[a]
        self.formulas, self.layers = stated.formulas, stated.layers(a)
        self.first, self.at = stated.place(a), 2 + a
        shape = list(self.u.shape)
        beside = [*shape[3:], 0] if stated.beside else [0, 0]
        self.number = c_double(across.a)
        self.described = transport.Axis(
            prod(shape[: self.first]), stated.shape[2 + a], prod(shape[self.first + 1 :]), tuple(beside[:2]),
            across.b, across.epsilon, across.h,
            self.a is not None and self.a.ndim > 0, self.d is not None and self.d.ndim > 0,
            addressof(self.number) if self.a is None else self.a.data_ptr(), _at(self.d),
        )  # fmt: skip
        for end, kind, value, slope in zip(
            self.described.end, across.kinds, self.sides[::2], self.sides[1::2], strict=True
        ):
            if kind != transport.OPEN:
                end.kind, end.value, end.slope = kind, _at(value), _at(slope)

    def add(self, out: Tensor) -> None:
        """Add the rates from this axis."""
        moved = out.movedim(self.at, self.first)
        mine = moved if moved.is_contiguous() else torch.zeros(moved.shape, dtype=torch.float64)
        transport.rates(self.formulas, self.described, self.u.data_ptr(), mine.data_ptr())
        if mine is not moved:
            moved.add_(mine)

    def transposed(self, g: Tensor, asked: Sequence[bool]) -> tuple[Tensor, list[Tensor | None]]:
        """Return g times the derivatives with respect to the tensors of this axis."""
        to_u, g = torch.zeros_like(self.u), g.movedim(self.at, self.first).contiguous()
        to_a, to_d = (
            torch.zeros_like(x) if x is not None and need else None
            for x, need in zip((self.a, self.d), asked[1:3], strict=True)
        )
        sides = [None if x is None else torch.empty_like(x) for x in self.sides]
        for end, value, slope in zip(self.described.end, sides[::2], sides[1::2], strict=True):
            if value is not None:
                end.to_value, end.to_slope = value.data_ptr(), _at(slope)
        targets = to_u.data_ptr(), _at(to_a), _at(to_d)
        transport.transpose(self.formulas, self.described, self.u.data_ptr(), g.data_ptr(), targets)
        return to_u.movedim(self.first, self.at), [to_a, to_d, *sides]

    def gathered(self, to: Tensor) -> Tensor:
        """Return what belongs to own cells, with what their copies at the other ends have got."""
        return unwrapped(to, self.layers)


def laid_out(stated: Stated, a: int, u: Tensor) -> Tensor:
    """Return means with the layers of axis ``a``, its axis where the kernel has it."""
    near = wrapped(u, stated.layers(a)) if stated.axes[a].around else u
    return near.movedim(2 + a, stated.place(a)).contiguous()


def wrapped(u: Tensor, layers: Sequence[tuple[int, int]]) -> Tensor:
    """Return cells with layers along some axes, (axis, how many), which go around."""
    for axis, w in layers:
        n = u.shape[axis]
        u = torch.cat([u.narrow(axis, n - w, w), u, u.narrow(axis, 0, w)], dim=axis)
    return u


def unwrapped(u: Tensor, layers: Sequence[tuple[int, int]]) -> Tensor:
    """Return own cells with what layers have got added in place: the transpose of `wrapped`."""
    for axis, w in reversed(layers):
        n = u.shape[axis] - 2 * w
        own = u.narrow(axis, w, n)
        own.narrow(axis, n - w, w).add_(u.narrow(axis, 0, w))
        own.narrow(axis, 0, w).add_(u.narrow(axis, n + w, w))
        u = own
    return u


def _at(x: Tensor | None) -> int | None:
    """Return where the numbers of a tensor begin."""
    return None if x is None else x.data_ptr()
