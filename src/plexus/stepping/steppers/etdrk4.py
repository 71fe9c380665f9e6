"""Exponential time differencing Runge-Kutta method for spectral models: L exact, N of order 4.

With E = e^(dt L), H = e^(dt L/2), q = (dt/2) φ_1(dt L/2) and φ_j = φ_j(dt L),

    a = H u + q N(u),   b = H u + q N(a),   c = H a + q (2 N(b) - N(u)),
    u' = E u + dt [ (φ_1 - 3φ_2 + 4φ_3) N(u) + (2φ_2 - 4φ_3) (N(a) + N(b)) + (4φ_3 - φ_2) N(c) ].

Four evaluations of N per step, no memory. S. Cox, P. Matthews, J. Comput. Phys. 176 (2002) 430-455,
doi:10.1006/jcph.2002.6995.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.protocols import Split
from plexus.registry import register
from plexus.stepping.split import SplitStepper, phi

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor

EXAMPLE: dict[str, Any] = {"type": "etdrk4"}


def functions(linear: Tensor, dt: float) -> tuple[Tensor, ...]:
    """Return E, H, q and the weights of N(u), of N(a) + N(b) and of N(c)."""
    z = dt * linear
    one, two, three = phi(z, 3)
    q = dt / 2 * phi(z / 2, 1)[0]
    weights = (one - 3 * two + 4 * three, 2 * two - 4 * three, 4 * three - two)
    return z.exp(), (z / 2).exp(), q, *(dt * w for w in weights)


def advance(system: Split, hat: Tensor, t: float, dt: float, kept: tuple[Tensor, ...]) -> Tensor:
    """Return the modes at ``t + dt``; ``kept`` are `functions`. Collective, differentiable."""
    full, half, q, first, middle, last = kept
    n = system.explicit(hat, t)
    decayed = half * hat
    a = decayed + q * n
    na = system.explicit(a, t + dt / 2)
    nb = system.explicit(decayed + q * na, t + dt / 2)
    nc = system.explicit(half * a + q * (2 * nb - n), t + dt)
    return full * hat + first * n + middle * (na + nb) + last * nc


class Etdrk4Params(Params):
    """ETDRK4 has no parameters."""


@register("stepper", "etdrk4", Etdrk4Params)
class Etdrk4(SplitStepper):
    """Exponential Runge-Kutta method of order 4."""

    def coefficients(self, linear: Tensor, dt: float) -> tuple[Tensor, ...]:
        """Return the functions of dt·L."""
        return functions(linear, dt)

    def advance(self, system: Split, hat: Tensor, t: float, dt: float, kept: Any) -> Tensor:
        """Return the modes at ``t + dt``. Collective, differentiable."""
        return advance(system, hat, t, dt, kept)
