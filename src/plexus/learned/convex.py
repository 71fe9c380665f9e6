"""A network that is convex in its inputs, and grows in all of them but the first, with its derivatives.

    y_1 = W_1 x + b_1,    y_2 = U S(y_1) + W_2 x + b_2,    N = u·S(y_2),    S(y) = ln(1 + e^y)

Weights U, u and those of W_1 and W_2 that act on x_1, x_2, … are S of what is stored, hence positive; those
on x_0 are free. S is convex and grows, so that N is convex in x and grows in x_1, x_2, …: what is convex may
be put in for these, and what is linear for x_0 (B. Amos, L. Xu, J. Z. Kolter, ICML 2017,
doi:10.48550/arXiv.1609.07152). All formulas are for arrays and tensors alike; training differentiates them
once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plexus.fields.arrays import exp, like, namespace
from plexus.protocols import Array

Bends = Mapping[tuple[int, int], Array]
"""Second derivatives along directions i and j, i <= j, each (n,)."""


def begin(width: int, inputs: int, seed: int) -> dict[str, np.ndarray]:
    """Return stored weights of a fresh network of two layers, the same on every machine."""
    draw = np.random.default_rng(seed)

    def rows(n: int, m: int, middle: float) -> np.ndarray:
        return middle + draw.standard_normal((n, m)) / np.sqrt(m)

    # S(-2) = 0.13: sums of positive weights begin near 1
    return {
        "inner": rows(width, inputs, 0.0), "inner_bias": draw.standard_normal((width, 1)),
        "join": rows(width, width, -2.0), "outer": rows(width, inputs, 0.0),
        "outer_bias": draw.standard_normal((width, 1)), "out": rows(width, 1, -2.0),
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Net:
    """N, by weights as the formulas have them."""

    first: Array
    second: Array
    join: Array
    out: Array
    biases: tuple[Array, Array]

    @classmethod
    def of(cls, stored: Mapping[str, Array], model: Array) -> Net:
        """Return the network of stored weights, of the kind and device of ``model``."""
        raw = {name: like(value, model) for name, value in stored.items()}
        return cls(
            _halves(raw["inner"]), _halves(raw["outer"]), soft(raw["join"]), soft(raw["out"]),
            (raw["inner_bias"], raw["outer_bias"]),
        )  # fmt: skip

    def value(self, x: Array) -> Array:
        """Return N (n,) at inputs (m, n)."""
        return (self.out * soft(self._sums(x)[1])).sum(0)

    def at(self, x: Array) -> Slopes:
        """Return what gives the derivatives at inputs (m, n)."""
        y1, y2 = self._sums(x)
        return Slopes(self, exp(y1 - soft(y1)), exp(y2 - soft(y2)))

    def _sums(self, x: Array) -> tuple[Array, Array]:
        """Return y_1 and y_2 (width, n)."""
        y1 = self.first @ x + self.biases[0]
        return y1, self.join @ soft(y1) + self.second @ x + self.biases[1]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of N at inputs (m, n), by S' of both layers (width, n)."""

    net: Net
    s1: Array
    s2: Array

    def first(self) -> Array:
        """Return ∂N/∂x (m, n)."""
        w, g2 = self.net, self.net.out * self.s2
        return w.first.T @ ((w.join.T @ g2) * self.s1) + w.second.T @ g2

    def second(self, along: Sequence[Array]) -> Bends:
        """Return the second derivatives along directions, each (m, n) or (m, 1)."""
        w, s1, s2 = self.net, self.s1, self.s2
        inner = [w.first @ d for d in along]
        outer = [w.join @ (s1 * i) + w.second @ d for i, d in zip(inner, along, strict=True)]
        # Σ u S''(y_2) D D' + Σ (Uᵀ u S'(y_2)) S''(y_1) d d'
        bend2, bend1 = w.out * s2 * (1.0 - s2), (w.join.T @ (w.out * s2)) * s1 * (1.0 - s1)
        return {
            (i, j): (bend2 * outer[i] * outer[j]).sum(0) + (bend1 * inner[i] * inner[j]).sum(0)
            for i in range(len(along))
            for j in range(i, len(along))
        }


def soft(y: Array) -> Array:
    """Return S(y) = ln(1 + e^y)."""
    # what is no number stays none, without a word
    with np.errstate(invalid="ignore"):
        return namespace(y).logaddexp(y, 0.0 * y)


def _halves(rows: Array) -> Array:
    """Return weights of x: those of x_0 as they are, the others positive."""
    xp = namespace(rows)
    return xp.concatenate([rows[:, :1], soft(rows[:, 1:])], 1)
