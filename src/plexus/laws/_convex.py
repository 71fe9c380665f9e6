"""An isotropic potential that is convex in the strain whatever its weights are, with its derivatives.

    ψ(ε) = κ a/2 θ² + μ c q² + μ e₀² [N(x) - N(x₀) - N,θ(x₀) θ/e₀],    θ = tr ε,  q² = dev ε:dev ε
    x = (θ/e₀, s_1, …, s_m),    s_k = r_k - δ_k,    r_k = sqrt(q²/e₀² + δ_k²),    x₀ = x(0)
    y_1 = W_1 x + b_1,    y_2 = U S(y_1) + W_2 x + b_2,    N = u·S(y_2),    S(y) = ln(1 + e^y)

Weights U, u, those of W_1 and W_2 that act on s_k, a and c are S of what is stored, hence positive; those
on θ are free. Then ψ is convex in ε: θ is linear in it, s_k is the norm of (dev ε/e₀, δ_k) without its
value at rest, hence convex, and S is convex and grows, so that N is convex in θ and convex and growing in
each s_k (B. Amos, L. Xu, J. Z. Kolter, ICML 2017, doi:10.48550/arXiv.1609.07152, with the inputs that laws
of solids have after D. K. Klein et al., J. Mech. Phys. Solids 159 (2022) 104703,
doi:10.1016/j.jmps.2021.104703). The norm instead of q²: convex functions of q² stiffen in shear, those of
s_k also soften as metals do, each δ_k with a knee at a size of its own. What is subtracted makes energy and
stress at rest zero and, being linear, leaves ψ convex, so that ψ ≥ 0.

    σ = A I + B dev ε,    A = κ a θ + μ e₀ [N,θ(x) - N,θ(x₀)],    B = 2μ c + μ Σ N,k/r_k

The second derivatives of N are needed only along θ and along v = (0, 1/r_1, …, 1/r_m), so that they cost
two more passes. All formulas are for arrays and tensors alike; training differentiates them once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from plexus.fields.arrays import exp, like, namespace, stack, where
from plexus.laws._invariants import Scalars, Shape
from plexus.protocols import Array

KNEES = (0.05, 0.2, 0.6, 2.0)
"""δ_k: sizes of the shape, in units of e₀, at which the stress may turn."""


@dataclass(frozen=True)
class Scales:
    """Bulk and shear modulus κ, μ [Pa] and size e₀ of the strain that a network is made for."""

    bulk: float
    shear: float
    strain: float


def begin(width: int, seed: int) -> dict[str, np.ndarray]:
    """Return stored weights of a fresh network of two layers, the same on every machine."""
    draw, inputs = np.random.default_rng(seed), 1 + len(KNEES)

    def rows(n: int, m: int, middle: float) -> np.ndarray:
        return middle + draw.standard_normal((n, m)) / np.sqrt(m)

    # S(-2) = 0.13: sums of positive weights begin near 1
    return {
        "inner": rows(width, inputs, 0.0), "inner_bias": draw.standard_normal((width, 1)),
        "join": rows(width, width, -2.0), "outer": rows(width, inputs, 0.0),
        "outer_bias": draw.standard_normal((width, 1)), "out": rows(width, 1, -2.0),
        "linear": np.zeros((2, 1)),
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Layers:
    """Weights as the formulas have them, and S' of both layers at the points, (width, n)."""

    first: Array
    second: Array
    join: Array
    out: Array
    a: Array
    c: Array


def energy(shape: Shape, stored: Mapping[str, Array], scales: Scales) -> Array:
    """Return ψ [Pa] at points (n,)."""
    w, (x, _) = _layers(stored, shape.theta), _inputs(shape, scales)
    both = _values(w, stored, x), _values(w, stored, 0.0 * x)
    slope = _down(w, *_signs(w, stored, 0.0 * x))[0]
    net = both[0] - both[1] - slope * x[0]
    linear = 0.5 * scales.bulk * w.a * shape.theta**2 + scales.shear * w.c * shape.square
    return linear + scales.shear * scales.strain**2 * net


def scalars(shape: Shape, stored: Mapping[str, Array], scales: Scales, tangent: bool) -> Scalars:
    """Return A, B and the slopes of the tangent at points (n,)."""
    mu, size = scales.shear, scales.strain
    w, (x, r) = _layers(stored, shape.theta), _inputs(shape, scales)
    s1, s2 = _signs(w, stored, x)
    slope, rest = _down(w, s1, s2), _down(w, *_signs(w, stored, 0.0 * x[:, :1]))[0]
    # sums of products are rounded differently from column to column, and at rest there is no stress
    still = (shape.theta == 0.0) * (shape.square == 0.0)
    pressure = scales.bulk * w.a * shape.theta + mu * size * where(still, 0.0, slope[0] - rest)
    shear = 2.0 * mu * w.c + mu * (slope[1:] / r).sum(0)
    if not tangent:
        return Scalars(pressure, shear)
    along = 1.0 / r
    inner = w.first[:, :1] + 0.0 * s1, w.first[:, 1:] @ along
    outer = tuple(w.join @ (s1 * d) + e for d, e in zip(inner, _second(w, along, s1), strict=True))
    # N'' along two directions: Σ u S''(y_2) D D' + Σ (Uᵀ u S'(y_2)) S''(y_1) d d'
    bend2, bend1 = w.out * s2 * (1.0 - s2), (w.join.T @ (w.out * s2)) * s1 * (1.0 - s1)

    def bent(i: int, j: int) -> Array:
        return (bend2 * outer[i] * outer[j]).sum(0) + (bend1 * inner[i] * inner[j]).sum(0)

    a = scales.bulk * w.a + mu * bent(0, 0)
    return Scalars(pressure, shear, (
        a, mu / size * bent(0, 1), mu / size**2 * (bent(1, 1) - (slope[1:] / r**3).sum(0)),
    ))  # fmt: skip


def _second(w: _Layers, along: Array, like_: Array) -> tuple[Array, Array]:
    """Return W_2 along θ and along v, (width, n)."""
    return w.second[:, :1] + 0.0 * like_, w.second[:, 1:] @ along


def _layers(stored: Mapping[str, Array], model: Array) -> _Layers:
    """Return the weights, of which those that must be are positive."""
    raw = {name: like(value, model) for name, value in stored.items()}
    linear = _soft(raw["linear"])
    return _Layers(
        _halves(raw["inner"]), _halves(raw["outer"]), _soft(raw["join"]), _soft(raw["out"]),
        linear[0], linear[1],
    )  # fmt: skip


def _halves(rows: Array) -> Array:
    """Return weights of x: those of θ as they are, those of s_k positive."""
    xp = namespace(rows)
    return xp.concatenate([rows[:, :1], _soft(rows[:, 1:])], 1)


def _inputs(shape: Shape, scales: Scales) -> tuple[Array, Array]:
    """Return x (1 + m, n) and r_k (m, n)."""
    square = shape.square / scales.strain**2
    r = stack([(square + knee**2) ** 0.5 for knee in KNEES], 0)
    # r - δ without the difference of near numbers
    s = [square / (r[k] + knee) for k, knee in enumerate(KNEES)]
    return stack([shape.theta / scales.strain, *s], 0), r


def _values(w: _Layers, stored: Mapping[str, Array], x: Array) -> Array:
    """Return N (n,)."""
    return (w.out * _soft(_sums(w, stored, x)[1])).sum(0)


def _sums(w: _Layers, stored: Mapping[str, Array], x: Array) -> tuple[Array, Array]:
    """Return y_1 and y_2 (width, n)."""
    y1 = w.first @ x + like(stored["inner_bias"], x)
    return y1, w.join @ _soft(y1) + w.second @ x + like(stored["outer_bias"], x)


def _signs(w: _Layers, stored: Mapping[str, Array], x: Array) -> tuple[Array, Array]:
    """Return S' of both layers (width, n)."""
    y1, y2 = _sums(w, stored, x)
    return exp(y1 - _soft(y1)), exp(y2 - _soft(y2))


def _down(w: _Layers, s1: Array, s2: Array) -> Array:
    """Return ∂N/∂x (1 + m, n)."""
    g2 = w.out * s2
    return w.first.T @ ((w.join.T @ g2) * s1) + w.second.T @ g2


def _soft(y: Array) -> Array:
    """Return S(y) = ln(1 + e^y)."""
    return namespace(y).logaddexp(y, 0.0 * y)
