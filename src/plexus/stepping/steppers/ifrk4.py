"""Integrating-factor Runge-Kutta method for spectral models: the classical one of order 4 for v = e^(-tL) u.

With E = e^(dt L) and H = e^(dt L/2),

    a = N(u),   b = N(H (u + dt/2 a)),   c = N(H u + dt/2 b),   d = N(E u + dt H c),
    u' = E u + dt/6 (E a + 2 H (b + c) + d).

L is exact, and the method needs no more than N's own stability limit; its error grows with dt·L where the
modes are driven, which `etdrk4` avoids. L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000, program 27,
doi:10.1137/1.9780898719598.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.protocols import Split
from plexus.registry import register
from plexus.stepping.split import SplitStepper

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor

EXAMPLE: dict[str, Any] = {"type": "ifrk4"}


def advance(system: Split, hat: Tensor, t: float, dt: float, kept: tuple[Tensor, Tensor]) -> Tensor:
    """Return the modes at ``t + dt``; ``kept`` are E and H. Collective, differentiable."""
    full, half = kept
    a = system.explicit(hat, t)
    decayed = half * hat
    b = system.explicit(decayed + dt / 2 * (half * a), t + dt / 2)
    c = system.explicit(decayed + dt / 2 * b, t + dt / 2)
    d = system.explicit(full * hat + dt * (half * c), t + dt)
    return full * (hat + dt / 6 * a) + dt / 3 * (half * (b + c)) + dt / 6 * d


class Ifrk4Params(Params):
    """The integrating-factor method has no parameters."""


@register("stepper", "ifrk4", Ifrk4Params)
class Ifrk4(SplitStepper):
    """Integrating-factor Runge-Kutta method of order 4."""

    def coefficients(self, linear: Tensor, dt: float) -> tuple[Tensor, Tensor]:
        """Return e^(dt L) and e^(dt L/2)."""
        half = (dt / 2 * linear).exp()
        return half * half, half

    def advance(self, system: Split, hat: Tensor, t: float, dt: float, kept: Any) -> Tensor:
        """Return the modes at ``t + dt``. Collective, differentiable."""
        return advance(system, hat, t, dt, kept)
