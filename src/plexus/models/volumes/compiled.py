"""Rates of cell means in compiled code, and their transpose: one pass over the faces across each axis.

    r = Σ_a r_a(w_a; a, D, v, s),    θ̄ += (∂r/∂θ)ᵀ r̄   for θ = means, a, D, v, s

It takes laws of one scalar whose fluxes are quadratic (`plexus.protocols.Quadratic`) with reconstructions and
Riemann solvers that the kernel has, on the CPU, where no means across an axis come in between. Velocities a,
diffusivities D, and values v and slopes s on sides come from the law and the sides as tensors: what they
depend on, gradients reach through torch. The formulas are those of `Scheme`, which takes over elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import addressof, c_double
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from plexus.models.volumes.places import Where
from plexus.models.volumes.sides import Given, Outflow
from plexus.protocols import Compiled, Quadratic, Values
from plexus.spaces.stencils import averages
from plexus_kernels.native import transport
from plexus_kernels.native.loader import usable

if TYPE_CHECKING:
    from plexus.models.volumes.scheme import Scheme

Tensor = torch.Tensor
SLOTS = 7
"""Tensors of an axis: means with layers, a, D, then value and slope at the lower and at the upper end."""


def formulas(scheme: Scheme) -> transport.Formulas | None:
    """Return the choices of the compiled kernel for a scheme; None where it does not fit or compile."""
    values, flux = scheme.reconstruction, scheme.riemann
    scalar = [spec.shape for spec in scheme.specs] == ["scalar"] and isinstance(scheme.law, Quadratic)
    if not scalar or scheme.beside or scheme.slab.device != "cpu":
        return None
    if not (isinstance(values, Compiled) and isinstance(flux, Compiled)):
        return None
    found = transport.Formulas(**values.compiled, **flux.compiled)
    return found if _ready(found) else None


@cache
def _ready(found: transport.Formulas) -> bool:
    """Return whether the kernel can be compiled here; warn once if not."""
    return usable(lambda: transport.prepare(found), "compiled fluxes are not usable, torch takes over")


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
    """An evaluation without its tensors: formulas, shape of the means, layers of the reconstruction, axes."""

    formulas: transport.Formulas
    shape: torch.Size
    width: int
    axes: list[Across]


def rates(scheme: Scheme, chosen: transport.Formulas, u: Tensor, t: float) -> Tensor:
    """Return what faces give to the rates (N, 1, *cells). Collective, differentiable once."""
    axes, tensors, d = [], list[Tensor | None](), None
    for a in range(scheme.dim):
        across, found = _across(scheme, u, a, t, d)
        axes.append(across)
        tensors += found
        d = found[2]
    total: Tensor = _Rates.apply(Stated(chosen, u.shape, scheme.reconstruction.width, axes), u, *tensors)
    return total


def _across(
    scheme: Scheme, u: Tensor, a: int, t: float, d: Tensor | None
) -> tuple[Across, list[Tensor | None]]:
    """Return one axis and its `SLOTS` tensors; ``d`` is D across the axis before. Collective."""
    slab, width = scheme.slab, scheme.reconstruction.width
    around = not (scheme.bends or slab.grid.ends(a) or (a == 0 and slab.comm.size > 1))
    w = u if around else scheme.window(slab.extended(u, scheme.reach) if a == 0 else u, a, t)
    kinds, sides = _ends(scheme, w, a, t)
    p = scheme.places.at(Where((0,) * scheme.dim, a), t)
    shape = [u.shape[0], *u.shape[2:]]
    shape[1 + a] += 1
    # laws that are quadratic are asked for what others do not have
    law: Any = scheme.law
    velocity, b = law.wave(p, a)
    # one number on all faces across an axis is that on all others
    if scheme.diffuses and (d is None or d.ndim):
        d = _coefficient(next(iter(law.diffusivity(_between(scheme, w, sides, a), p).values())), shape)
    near = None if around else scheme.trim(w, a - scheme.dim, width)
    number = isinstance(velocity, float)
    across = Across(
        around, kinds, velocity if number else 0.0, b,
        getattr(scheme.reconstruction, "epsilon", 0.0), slab.grid.spacing[a],
    )  # fmt: skip
    return across, [near, None if number else _coefficient(velocity, shape), d, *sides]


def _between(scheme: Scheme, w: Tensor, sides: list[Tensor | None], a: int) -> Values:
    """Return what a diffusivity may look at on faces; anything where it does not look at the unknown."""
    if not scheme.bends:
        return scheme.split(w.new_ones((1, 1, *(1,) * scheme.dim)))
    axis, order = a - scheme.dim, 6 if scheme.high else 2
    found = averages.between(scheme.trim(w, axis, order // 2), axis, order)
    n = found.shape[axis] - 1
    for end, value in ((0, sides[0]), (1, sides[2])):
        # without a slope there is no diffusive flux
        if sides[2 * end + 1] is not None and value is not None:
            rest = found.narrow(axis, 1 - end, n)
            found = torch.cat([rest, value] if end else [value, rest], dim=axis)
    return scheme.split(found)


def _ends(scheme: Scheme, w: Tensor, a: int, t: float) -> tuple[list[int], list[Tensor | None]]:
    """Return what holds at both ends of an axis, and value and slope of each."""
    kinds, found = [transport.OPEN] * 2, list[Tensor | None]([None] * 4)
    for end in scheme.ends(a):
        rule, axis = scheme.sides[a, end].rules[0], a - scheme.dim
        if isinstance(rule, Outflow):
            kinds[end] = transport.LEAVING
        elif isinstance(rule, Given):
            kinds[end] = transport.GIVEN
            found[2 * end] = scheme.entering(rule, w.narrow(axis, 0, 1)[:, 0], a, end, t)[
                :, None
            ].contiguous()
        else:
            _, value, slope = scheme.beyond(w, a, end, t, 1)
            kinds[end] = transport.HELD
            # the outward derivative at the lower end is the one against the axis
            found[2 * end : 2 * end + 2] = value.contiguous(), slope if end else -slope
    return kinds, found


def _coefficient(value: Any, shape: Sequence[int]) -> Tensor:
    """Return one number, or numbers on all faces (N, *faces)."""
    value = torch.as_tensor(value, dtype=torch.float64)
    return value.reshape(()) if value.numel() == 1 else value.expand(shape).contiguous()


class _Rates(torch.autograd.Function):
    """The pass over the faces and its transpose; only what comes in is kept."""

    @staticmethod
    def forward(ctx: Any, stated: Stated, u: Tensor, *tensors: Tensor | None) -> Tensor:
        ctx.stated = stated
        ctx.save_for_backward(u, *tensors)
        out = torch.zeros(stated.shape, dtype=torch.float64)
        for a in range(len(stated.axes)):
            one = _Axis(stated, a, u, tensors)
            transport.rates(stated.formulas, one.described, one.u.data_ptr(), out.data_ptr())
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        stated, (u, *tensors) = ctx.stated, ctx.saved_tensors
        total, g, found = None, g.contiguous(), list[Tensor | None]()
        for a, across in enumerate(stated.axes):
            one = _Axis(stated, a, u, tensors)
            to, others = one.transposed(g, ctx.needs_input_grad[2 + SLOTS * a :])
            if across.around:
                part = one.gathered(to)
                total = part if total is None else total.add_(part)
            found += [None if across.around else to, *others]
        return None, total, *found


class _Axis:
    """One axis for the compiled kernel; alive as long as the kernel reads it."""

    def __init__(self, stated: Stated, a: int, u: Tensor, tensors: Sequence[Any]):
        near, self.a, self.d, *self.sides = tensors[SLOTS * a : SLOTS * (a + 1)]
        across = stated.axes[a]
        self.formulas, self.width, self.axis = stated.formulas, stated.width, a - len(stated.axes)
        n, w = stated.shape[self.axis], self.width
        self.n = n
        if across.around:
            near = torch.cat([u.narrow(self.axis, n - w, w), u, u.narrow(self.axis, 0, w)], dim=self.axis)
        self.u = near.contiguous()
        self.number = c_double(across.a)
        self.described = transport.Axis(
            prod(stated.shape[: self.axis]), n, prod(stated.shape[2 + a + 1 :]),
            across.b, across.epsilon, across.h,
            self.a is not None and self.a.ndim > 0, self.d is not None and self.d.ndim > 0,
            addressof(self.number) if self.a is None else self.a.data_ptr(), _at(self.d),
        )  # fmt: skip
        for end, kind, value, slope in zip(
            self.described.end, across.kinds, self.sides[::2], self.sides[1::2], strict=True
        ):
            if kind != transport.OPEN:
                end.kind, end.value, end.slope = kind, _at(value), _at(slope)

    def transposed(self, g: Tensor, asked: Sequence[bool]) -> tuple[Tensor, list[Tensor | None]]:
        """Return g times the derivatives with respect to the tensors of this axis."""
        to_u = torch.zeros_like(self.u)
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
        return to_u, [to_a, to_d, *sides]

    def gathered(self, to: Tensor) -> Tensor:
        """Return what belongs to own cells, with what their copies at the other end have got."""
        n, w, axis = self.n, self.width, self.axis
        own = to.narrow(axis, w, n)
        own.narrow(axis, n - w, w).add_(to.narrow(axis, 0, w))
        own.narrow(axis, 0, w).add_(to.narrow(axis, n + w, w))
        return own


def _at(x: Tensor | None) -> int | None:
    """Return where the numbers of a tensor begin."""
    return None if x is None else x.data_ptr()
