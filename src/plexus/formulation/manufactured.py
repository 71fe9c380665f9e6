"""Manufactured solutions: what must be added to an equation so that a chosen field solves it.

For exact fields w(x, t) the strong form of F(u; v) = ∫ f0·v + f1:∇v (with the factor m on dx) leaves

    S = f0(w) - (1/m) ∇·(m f1(w)),

so the equation with f0 - S has the solution w. The derivatives come from nested forward-mode automatic
differentiation of the equation's own flux: whoever writes a flux gives an exact solution and nothing
else. Source: P. J. Roache, J. Fluids Eng. 124 (2002) 4-10, doi:10.1115/1.1436090.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plexus.deck.params import Expression
from plexus.devices import threads
from plexus.formulation.autodiff import tensor
from plexus.formulation.points import Values, View
from plexus.protocols import Array, Equation, Point

Exact = Mapping[str, Expression | Sequence[Expression]]
"""Field name -> an expression of x, y, z, t, or for a vector one per component."""


@dataclass(frozen=True)
class Manufactured:
    """One verification case of a model, written as deck fragments.

    Attributes
    ----------
    name : str
        Case name, used in test identifiers.
    physics : dict
        The deck's ``physics`` block without ``degree``.
    exact : dict
        Field -> {space dimension: expression, or list of expressions}; the dimensions listed are tested.
    deck : dict
        Further top-level blocks of the deck, e.g. ``time``.
    orders : dict
        ``<field>_L2`` or ``<field>_H1`` -> what is added to the required order; 0 by default.
    """

    name: str
    physics: dict[str, Any]
    exact: dict[str, dict[int, Any]]
    deck: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, float] = field(default_factory=dict)

    @property
    def dimensions(self) -> list[int]:
        """Return the space dimensions in which every field has an exact solution."""
        return sorted(set.intersection(*(set(by_dim) for by_dim in self.exact.values())))

    def solution(self, dim: int) -> dict[str, Any]:
        """Return field -> expression(s) in one dimension."""
        return {name: by_dim[dim] for name, by_dim in self.exact.items()}


def source(equation: Equation, exact: Exact, p: Point) -> Array:
    """Return S at the points, (C, Q) or (C, Q, m), as the points' kind of array."""
    import numpy as np
    import torch

    threads.settle()
    x = tensor(p.x)
    t = torch.as_tensor(p.t, dtype=x.dtype)
    regions = {name: tensor(mask) for name, mask in p.regions.items()}
    # the memory is taken as it is: uniform in space, so that no derivative of it is missed
    memory = {"dt": p.dt, "before": {name: tensor(value) for name, value in p.before.items()}}

    # everything below is a function of x alone, so that it can be differentiated along each axis
    def flux(x: Any) -> tuple[Any, Any]:
        view = _exact_point(equation, exact, x, t, regions, memory)
        value = equation.flux(view)
        m = equation.measure(x)
        like = view.grad
        f1 = torch.zeros_like(like) if value.f1 is None else value.f1.expand(like.shape)
        f0 = torch.zeros_like(view.u) if value.f0 is None else value.f0.expand(view.u.shape)
        # m has the points' shape, f1 a direction and maybe a component axis behind it
        return f0, f1 if m is None else f1 * m.reshape(m.shape + (1,) * (f1.ndim - 2))

    # ∇·(m f1) = Σ_k ∂_k (m f1)_k; this outer derivative sees the inner one in ∇w
    sweeps = [_along(flux, x, k) for k in range(x.shape[-1])]
    divergence = sum(slopes[1][..., k] for k, (_, slopes) in enumerate(sweeps))
    # strong form per volume of the body: the factor m is divided out again
    m = equation.measure(x)
    if m is not None:
        divergence = divergence / m.reshape(m.shape + (1,) * (divergence.ndim - 2))
    result = sweeps[0][0][0] - divergence
    return result.numpy() if isinstance(p.x, np.ndarray) else result


def _exact_point(
    equation: Equation,
    exact: Exact,
    x: Any,
    t: Any,
    regions: Mapping[str, Any],
    memory: Mapping[str, Any],
) -> View:
    """Return a point where every field and the equation's own rate are the exact ones."""
    import torch

    dim = x.shape[-1]
    samples = {name: _sample(expressions, x, t) for name, expressions in exact.items()}
    expressions = _own(equation, exact)
    names = [spec.name for spec in equation.fields]
    own = samples[names[0]] if len(names) == 1 else _block([samples[name] for name in names], x)
    # only the own rate can enter a flux, so only that one is formed
    rate = torch.func.jvp(lambda s: _evaluate(expressions, x, s), (t,), (torch.ones_like(t),))[1]
    # an exact field is followed at every point: no projection on the polynomials of a cell
    members = {"u": own.value, "grad": own.grad, "rate": rate, "inside": None, "small": 0.0, **memory}
    return View(None, fields=samples, x=x, t=t, dim=dim, regions=regions, **members)


def _own(equation: Equation, exact: Exact) -> Expression | Sequence[Expression]:
    """Return the exact solution of an equation's own field, of a block that of all its components."""
    parts = [exact[spec.name] for spec in equation.fields]
    if len(parts) == 1:
        return parts[0]
    return [e for part in parts for e in (part if isinstance(part, Sequence) else [part])]


def _sample(expressions: Expression | Sequence[Expression], x: Any, t: Any) -> Values:
    """Return value and gradient of an expression, of several of them as components."""
    import torch

    # each sweep gives the value again and one column of the gradient
    columns = [_along(lambda y: _evaluate(expressions, y, t), x, k) for k in range(x.shape[-1])]
    return Values(columns[0][0], torch.stack([slope for _, slope in columns], dim=-1))


def _block(parts: Sequence[Any], x: Any) -> Values:
    """Return the fields of a block as components of one."""
    import torch

    *points, dim = x.shape
    values = [part.value.reshape(*points, -1) for part in parts]
    grads = [part.grad.reshape(*points, -1, dim) for part in parts]
    return Values(torch.cat(values, dim=-1), torch.cat(grads, dim=-2))


def _along(function: Any, x: Any, k: int) -> tuple[Any, Any]:
    """Return ``function(x)`` and its derivative along coordinate ``k`` at every point."""
    import torch

    direction = torch.zeros_like(x)
    direction[..., k] = 1.0
    value, slope, *_ = torch.func.jvp(function, (x,), (direction,))
    return value, slope


def _evaluate(exact: Expression | Sequence[Expression], x: Any, t: Any) -> Any:
    """Return the expression at x, those of a vector stacked along a last axis."""
    import torch

    # 0 x_0 gives a constant expression the shape of the points
    names = {name: x[..., i] for i, name in enumerate("xyz"[: x.shape[-1]])} | {"t": t}
    if isinstance(exact, Sequence):
        return torch.stack([e(names) + 0.0 * x[..., 0] for e in exact], dim=-1)
    return exact(names) + 0.0 * x[..., 0]
