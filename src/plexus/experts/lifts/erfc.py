"""Two layers that a sudden change at both ends sends into an interval, beside a start that diffuses.

    l = h + (1 - h(0, t)) E_0 - h(a, t) E_a,    a = 1 + D
    E_0 = e_0 - x/a e_0(a, t),   E_a = e_a - (1 - x/a) e_a(0, t)
    e_0 = erfc(x / 2√(κ_0 t)),   e_a = erfc((a - x) / 2√(κ_a t))

for u = 1 at x = 0 and u + D u_x = 0 at x = 1, that is u = 0 at a but for D². h is the start u_0 with κ_h
u_xx = u_t and no slope at the ends, a sum of cosines of the cell means. κ = D/R with R the secant of what
is stored, u + K u^n, over the layer: κ_0 between the values 1 and u_0 at the left, κ_a between u_0 at the
right and 0, κ_h at the mean. The correction vanishes with g = x (a - x) √(t/T), whose first factors have
the boundary values, the last the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch.func import jvp

Tensor = torch.Tensor
GAUSS = 24
"""Points of the quadrature in time."""


class TwoSided:
    """l of starts (M, n), cell means on equal cells of (0, 1).

    Parameters
    ----------
    diffusivity
        D.
    secant
        Two values -> retardation R between them, (M,).
    """

    def __init__(self, diffusivity: float, secant: Callable[[Tensor, Tensor], Tensor]):
        self.d, self.secant = diffusivity, secant
        self.end = 1 + diffusivity

    def values(self, start: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """Return l (M, nt, nx) at places (nx,) and times (nt,) above zero."""
        one, zero = torch.ones_like(start[:, 0]), torch.zeros_like(start[:, 0])
        left, right = (self.d / self.secant(a, b) for a, b in ((one, start[:, 0]), (start[:, -1], zero)))
        h, h0, ha = (self._smooth(start, p, t) for p in (x, x.new_zeros(1), x.new_tensor([self.end])))
        s = x / self.end
        e0 = _layer(x, left, t) - s * _layer(x.new_tensor([self.end]), left, t)
        ea = _layer(self.end - x, right, t) - (1 - s) * _layer(x.new_tensor([self.end]), right, t)
        return h + (1 - h0) * e0 - ha * ea

    def passed(self, start: Tensor, places: Tensor, bounds: Tensor) -> Tensor:
        """Return ∫ l_x dt at places (n,) between successive times (s + 1,), (M, s, n).

        The slope at an end falls with the root of time: the rule of Gauss and Legendre is taken in that.
        """
        nodes, weights = (torch.from_numpy(a).to(start) for a in np.polynomial.legendre.leggauss(GAUSS))
        parts, one = [], torch.ones_like(places)
        for low, high in pairwise(bounds.sqrt()):
            root = (low + high) / 2 + (high - low) / 2 * nodes
            slope = jvp(lambda x, t=root**2: self.values(start, x, t), (places,), (one,))[1]
            parts.append(torch.einsum("mtx,t->mx", slope, weights * root * (high - low)))
        return torch.stack(parts, 1)

    def factor(self, x: Tensor, t: Tensor, duration: float) -> Tensor:
        """Return g (nt, nx), of size one."""
        return 4 * (x * (self.end - x)) * (t / duration).sqrt()[:, None]

    def _smooth(self, start: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """Return h."""
        n = start.shape[1]
        k = torch.arange(n, dtype=start.dtype, device=start.device)
        cells = (torch.arange(n, dtype=start.dtype, device=start.device) + 0.5) / n
        waves = torch.cos(math.pi * k[:, None] * cells)
        a = torch.einsum("mi,ki->mk", start, waves) * torch.where(k > 0, 2.0, 1.0) / n
        mean = start.mean(1)
        kappa = self.d / self.secant(mean * 1.001, mean * 0.999)
        fading = torch.exp(-kappa[:, None, None] * (math.pi * k) ** 2 * t[:, None])
        return torch.einsum("mk,mtk,kx->mtx", a, fading, torch.cos(math.pi * k[:, None] * x))


def _layer(away: Tensor, kappa: Tensor, t: Tensor) -> Tensor:
    """Return erfc(away / 2√(κt)), (M, nt, nx)."""
    return torch.special.erfc(away / (2 * (kappa[:, None] * t).sqrt()[..., None]))
