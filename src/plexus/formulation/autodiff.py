"""Tangents of a pointwise flux by forward-mode automatic differentiation.

f0 and f1 at a point depend on u, ∇u and u_t at that point only. One Jacobian-vector product with
the same unit direction at every point therefore yields one column of the tangent for all points
at once: m columns for u, m·d for ∇u and m for u_t.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from plexus.devices import threads
from plexus.formulation.points import with_unknowns
from plexus.protocols import Array, FieldSpec, Flux, Point, Tangent
from plexus.protocols.controls import Dependent

if TYPE_CHECKING:
    import torch


class PointwiseFlux(Protocol):
    """The part of an equation or boundary term that can be differentiated."""

    def flux(self, p: Point) -> Flux:
        """Return the integrand at the points."""


class TensorPoint:
    """A point whose arrays are torch tensors that share memory with those of the point below."""

    def __init__(self, base: Point):
        self._base = base

    @property
    def fields(self) -> dict[str, Any]:
        """Samples of all fields as tensors; what follows from others is asked with the point itself."""
        samples = self._base.fields.items()
        return {n: s if isinstance(s, Dependent) else _TensorSample(s) for n, s in samples}

    @property
    def regions(self) -> dict[str, Any]:
        """Region masks as tensors."""
        return {name: tensor(mask) for name, mask in self._base.regions.items()}

    @property
    def other(self) -> TensorPoint:
        """The other side of a facet as tensors."""
        return TensorPoint(self._base.other)

    @property
    def before(self) -> dict[str, Any]:
        """Internal variables at the start of the step as tensors."""
        return {name: tensor(value) for name, value in self._base.before.items()}

    def __getattr__(self, name: str) -> Any:
        """Return a member of the point below as a tensor (numbers as they are)."""
        if name.startswith("__"):  # copy and pickle look for their hooks here
            raise AttributeError(name)
        return tensor(getattr(self._base, name))


class _TensorSample:
    """A sample whose arrays are tensors."""

    def __init__(self, base: Any):
        self._base = base

    @property
    def value(self) -> Any:
        """Return the value as a tensor."""
        return tensor(self._base.value)

    @property
    def grad(self) -> Any:
        """Return the gradient as a tensor."""
        return tensor(self._base.grad)


def tensor(array: Any) -> Any:
    """Return a NumPy array as a torch tensor that shares its memory; anything else unchanged."""
    import torch

    if not isinstance(array, np.ndarray):
        return array
    # torch refuses to share memory that NumPy marks read-only, e.g. broadcast views
    return torch.from_numpy(np.ascontiguousarray(array if array.flags.writeable else array.copy()))


def tangent(equation: PointwiseFlux, p: Point, field: FieldSpec | None = None) -> Tangent:
    """Return all derivatives of ``equation.flux`` at ``p``.

    Parameters
    ----------
    equation : object with ``flux``
        An equation or a boundary term.
    p : Point
        NumPy or torch arrays; the result has the same kind.
    field : FieldSpec, optional
        The unknown to differentiate by; that of the equation by default.
    """
    import torch

    threads.settle()
    specs = (field,) if field else tuple(equation.fields)  # type: ignore[attr-defined]
    transient = getattr(equation, "time_order", 0) > 0
    like_numpy = isinstance(p.u, np.ndarray)
    q: Any = TensorPoint(p)
    u, grad = q.u, q.grad
    # without a time derivative the rate is a constant zero and its columns are not needed
    rate = q.rate if transient else torch.zeros_like(u)

    def fluxes(u: torch.Tensor, grad: torch.Tensor, rate: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # properties read the unknown by its field name: they must see the same dual numbers
        view = with_unknowns(q, specs, u, grad, rate=rate)
        flux = equation.flux(view)
        # terms that are constant over cells or points get their full shape, missing ones are zero
        f0 = torch.zeros_like(u) if flux.f0 is None else flux.f0.expand(u.shape)
        f1 = torch.zeros_like(grad) if flux.f1 is None else flux.f1.expand(grad.shape)
        return f0, f1

    d0_du, d1_du = _columns(fluxes, (u, grad, rate), 0, u.shape[2:])
    d0_dg, d1_dg = _columns(fluxes, (u, grad, rate), 1, grad.shape[2:])
    d0_dr = _columns(fluxes, (u, grad, rate), 2, u.shape[2:])[0] if transient else None
    done = [_finish(block, like_numpy) for block in (d0_du, d0_dg, d1_du, d1_dg, d0_dr)]
    return Tangent(c00=done[0], c01=done[1], c10=done[2], c11=done[3], m00=done[4])


def _columns(
    function: Callable[..., tuple[Any, Any]], primals: tuple[Any, ...], which: int, shape: tuple[int, ...]
) -> list[Any]:
    """Differentiate ``function`` along every unit direction of argument ``which``.

    Returns one block per output, of shape (C, Q, *output, *shape).
    """
    import torch

    columns: list[tuple[Any, ...]] = []
    for index in np.ndindex(*shape):
        # the unit direction of this component, at every point of the batch at once
        directions = [torch.zeros_like(a) for a in primals]
        here: Any = (..., *index)
        directions[which][here] = 1.0
        columns.append(torch.func.jvp(function, primals, tuple(directions))[1])
    # columns run over the flattened direction: unflatten it behind the output's own axes
    return [torch.stack(c, dim=-1).reshape(*c[0].shape, *shape) for c in zip(*columns, strict=True)]


def _finish(block: Any, like_numpy: bool) -> Array | None:
    """Return None for a block that is zero everywhere, else the block as the caller's array type."""
    if block is None or not bool(block.any()):
        return None
    return block.numpy() if like_numpy else block
