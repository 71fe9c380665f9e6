"""Weighted essentially non-oscillatory values of order 5 from three parabolas.

    u = Σ_k w_k q_k,   w_k ∝ d_k / (ε + β_k)²              (js)
                       w_k ∝ d_k (1 + (τ/(ε + β_k))²)      (z),   τ = |β_0 - β_2|

q_k are the parabolas' values on the face, β_k their roughness, d = (1, 6, 3)/10 gives order 5 where the field
is smooth. js: G.-S. Jiang, C.-W. Shu, J. Comput. Phys. 126 (1996) 202-228, doi:10.1006/jcph.1996.0130; z,
which keeps the order at extrema: R. Borges et al., J. Comput. Phys. 227 (2008) 3191-3211,
doi:10.1016/j.jcp.2007.11.038. Near jumps small new extrema are possible.
"""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import Array
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "weno5", "weights": "js"}
RELATIVE, TINY = 1e-20, 1e-40
"""ε of the weights z over the mean square of the means: roughness below that is rounding, whose quotients and
derivatives mean nothing; and what keeps the quotient finite where all is zero."""


class Weno5Params(Params):
    """Parameters of `Weno5`."""

    weights: Literal["z", "js"] = Field("z", description="how roughness becomes weights")
    epsilon: float = Field(
        1e-6, gt=0, description="ε of the weights js, in the square of the unknown's unit; z needs none"
    )


@register("reconstruction", "weno5", Weno5Params)
class Weno5:
    """WENO5 of Jiang and Shu, or with the weights of Borges et al."""

    order, width = 5, 3

    def __init__(self, params: Weno5Params):
        self.z, self.epsilon = params.weights == "z", params.epsilon
        self.compiled = {"values": 2 + self.z, "limiter": 0}

    def faces(self, u: Array, axis: int) -> tuple[Array, Array]:
        """Return the values on the lower and the upper side of each face."""
        n = u.shape[axis] - 5
        v = [u.narrow(axis, k, n) for k in range(6)]
        return self._value(*v[:5]), self._value(*v[:0:-1])

    def _value(self, a: Array, b: Array, c: Array, d: Array, e: Array) -> Array:
        """Return the value between c and d from the means of five cells."""
        rough = (
            13 / 12 * (a - 2 * b + c) ** 2 + (a - 4 * b + 3 * c) ** 2 / 4,
            13 / 12 * (b - 2 * c + d) ** 2 + (b - d) ** 2 / 4,
            13 / 12 * (c - 2 * d + e) ** 2 + (3 * c - 4 * d + e) ** 2 / 4,
        )
        q = ((2 * a - 7 * b + 11 * c) / 6, (5 * c - b + 2 * d) / 6, (2 * c + 5 * d - e) / 6)
        if self.z:
            tau = (rough[0] - rough[2]).abs()
            floor = RELATIVE * (a * a + b * b + c * c + d * d + e * e).detach() + TINY
            w = [ideal * (1 + (tau / (r + floor)) ** 2) for ideal, r in zip((1, 6, 3), rough, strict=True)]
        else:
            w = [ideal / (r + self.epsilon) ** 2 for ideal, r in zip((1, 6, 3), rough, strict=True)]
        return (w[0] * q[0] + w[1] * q[1] + w[2] * q[2]) / (w[0] + w[1] + w[2])
