"""Rates of cell means in compiled code, and their transpose: one pass over the faces across each axis.

    r = Σ_a r_a(w_a; a, D, v, s),    θ̄ += (∂r/∂θ)ᵀ r̄   for θ = means, a, D, v, s

It takes laws of one scalar whose fluxes are quadratic (`plexus.protocols.Quadratic`) with reconstructions and
Riemann solvers that the kernel has, on the CPU. Velocities a, diffusivities D, and values v and slopes s on
sides come from the law and the sides as tensors: what they depend on, gradients reach through torch. The
formulas are those of `Scheme`, which takes over elsewhere.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from plexus.models.volumes.passes import Across, Rates, Stated
from plexus.models.volumes.places import Where
from plexus.models.volumes.sides import Given, Outflow
from plexus.protocols import Compiled, Quadratic, Values
from plexus.spaces.stencils import averages
from plexus_kernels.native import transport
from plexus_kernels.native.loader import usable

if TYPE_CHECKING:
    from plexus.models.volumes.scheme import Scheme

Tensor = torch.Tensor


def formulas(scheme: Scheme) -> transport.Formulas | None:
    """Return the choices of the compiled kernel for a scheme; None where it does not fit or compile."""
    values, flux = scheme.reconstruction, scheme.riemann
    scalar = [spec.shape for spec in scheme.specs] == ["scalar"] and isinstance(scheme.law, Quadratic)
    if not scalar or scheme.slab.device != "cpu":
        return None
    if not (isinstance(values, Compiled) and isinstance(flux, Compiled)):
        return None
    found = transport.Formulas(**values.compiled, **flux.compiled)
    return found if _ready(found) else None


@cache
def _ready(found: transport.Formulas) -> bool:
    """Return whether the kernel can be compiled here; warn once if not."""
    return usable(lambda: transport.prepare(found), "compiled fluxes are not usable, torch takes over")


def rates(scheme: Scheme, chosen: transport.Formulas, u: Tensor, t: float) -> Tensor:
    """Return what faces give to the rates (N, 1, *cells). Collective, differentiable once."""
    axes, tensors, d = [], list[Tensor | None](), None
    filled = None if _around(scheme, 0) or not scheme.beside else _window(scheme, u, 0, t)
    for a in range(scheme.dim):
        w = u if _around(scheme, a) else _window(scheme, u, a, t) if filled is None else filled
        across, found = _across(scheme, u, w, a, t, d)
        axes.append(across)
        tensors += found
        d = found[2]
    stated = Stated(chosen, u.shape, scheme.reconstruction.width, scheme.beside, axes)
    total: Tensor = Rates.apply(stated, u, *tensors)
    return total


def _around(scheme: Scheme, a: int) -> bool:
    """Return whether the layers that an axis reads are own cells; with layers beside, those of all axes."""
    slab, needed = scheme.slab, range(scheme.dim) if scheme.beside else [a]
    alone = slab.comm.size == 1 or 0 not in needed
    return alone and not scheme.bends and not any(slab.grid.ends(b) for b in needed)


def _window(scheme: Scheme, u: Tensor, a: int, t: float) -> Tensor:
    """Return the own cells with the layers that axis ``a`` reads. Collective along the first one."""
    return scheme.window(scheme.slab.extended(u, scheme.reach) if a == 0 else u, a, t)


def _across(
    scheme: Scheme, u: Tensor, w: Tensor, a: int, t: float, d: Tensor | None
) -> tuple[Across, list[Tensor | None]]:
    """Return one axis, of cells w with layers or without, and its `SLOTS`; ``d`` is the last axis' D."""
    grid, around = scheme.slab.grid, w is u
    kinds, sides = _ends(scheme, u, w, a, t)
    layers = [0 if b == a else scheme.beside // 2 for b in range(scheme.dim)]
    p = scheme.places.at(Where(tuple(layers), a), t)
    shape = [n + 2 * more for n, more in zip(u.shape[2:], layers, strict=True)]
    shape[a] += 1
    # laws that are quadratic are asked for what others do not have
    law: Any = scheme.law
    velocity, b = law.wave(p, a)
    first = 1 if scheme.beside else 1 + a

    def coefficient(value: Any) -> Tensor:
        """Return one number, or numbers on all faces (N, *faces), as the kernel has its layers."""
        value = torch.as_tensor(value, dtype=torch.float64)
        if value.numel() == 1:
            return value.reshape(())
        return value.expand([len(u), *shape]).movedim(1 + a, first).contiguous()

    # one number on all faces across an axis is that on all others
    if scheme.diffuses and (d is None or d.ndim):
        d = coefficient(next(iter(law.diffusivity(_between(scheme, w, sides, a), p).values())))
    near = None if around else scheme.trim(w, a - scheme.dim, scheme.reconstruction.width)
    number = isinstance(velocity, float)
    across = Across(
        around, kinds, velocity if number else 0.0, b,
        getattr(scheme.reconstruction, "epsilon", 0.0), grid.spacing[a],
    )  # fmt: skip
    return across, [near, None if number else coefficient(velocity), d, *sides]


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
    others = [b - scheme.dim for b in range(scheme.dim) if b != a]
    return scheme.split(averages.middles(found, others) if scheme.beside else found)


def _ends(scheme: Scheme, u: Tensor, w: Tensor, a: int, t: float) -> tuple[list[int], list[Tensor | None]]:
    """Return what holds at both ends of an axis, and value and slope of each."""
    kinds, found = [transport.OPEN] * 2, list[Tensor | None]([None] * 4)
    for end in scheme.ends(a):
        rule, axis = scheme.sides[a, end].rules[0], a - scheme.dim
        if isinstance(rule, Outflow):
            kinds[end] = transport.LEAVING
        elif isinstance(rule, Given):
            kinds[end] = transport.GIVEN
            entering = scheme.entering(rule, u.narrow(axis, 0, 1)[:, 0], a, end, t)
            found[2 * end] = entering[:, None].contiguous()
        else:
            _, value, slope = scheme.beyond(w, a, end, t, 1)
            kinds[end] = transport.HELD
            # the outward derivative at the lower end is the one against the axis
            found[2 * end : 2 * end + 2] = value.contiguous(), slope if end else -slope
    return kinds, found
