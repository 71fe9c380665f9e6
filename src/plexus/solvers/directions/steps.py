"""Conjugate directions in torch, by which a network learns: what each step leaves of the error.

    energy:    L = 1/m Σ_k (1 - (q·r)²/(q·A q  e·r)),   r = A e,   q the k-th direction of `krylov`
    residual:  L = 1/m Σ_k ‖r - (q·r/q·A q) A q‖²/‖r‖²

are the mean shares of the squared norms, e·A e and ‖r‖², that a step leaves over. Each step has a gradient
of its own: e and the stored directions are taken as they have become, so that the network learns from
residuals that it will meet, and nothing is kept of the steps before. No solution needs to be computed: errors
are drawn, and make the right-hand sides.

Source: the loss and the residuals of solves are those of A. Rudikov et al., ICML (2024),
doi:10.48550/arXiv.2402.05598; the iteration A. Kaneda et al., ICML (2023), doi:10.48550/arXiv.2205.10763.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import torch

from plexus.solvers.directions.krylov import STORED
from plexus.solvers.directions.stencil import Stencil

Tensor = torch.Tensor
TINY = 1e-30
"""What keeps a direction of zeros from being divided by nothing."""
LONGEST = 3.5
"""Richardson steps at most, over the cells of an axis to the power 3/2."""


def left(
    network: Callable[[Tensor], Tensor], operator: Stencil, e: Tensor, count: int, energetic: bool = True
) -> Tensor:
    """Return L, of energy or residual, of ``count`` steps from errors (samples, nx, ny, nz), 0-d."""
    kept: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=STORED)
    total = torch.zeros((), dtype=e.dtype, device=e.device)
    for _ in range(count):
        r = operator.product(e)
        q = network(r) * operator.inside
        shares = [(_dot(q, image) / energy, p) for p, image, energy in kept]
        for share, p in shares:
            q = q - share * p
        image = operator.product(q)
        energy, along = _dot(q, image) + TINY, _dot(q, r)
        rest = r - along / energy * image
        share = _dot(e, rest) / _dot(e, r) if energetic else _dot(rest, rest) / _dot(r, r)
        total = total + share.mean() / count
        q, image, energy = q.detach(), image.detach(), energy.detach()
        e = e - along.detach() / energy * q
        kept.append((q, image, energy))
    return total


def drawn(operator: Stencil, count: int, draw: np.random.Generator) -> Tensor:
    """Return errors (count, nx, ny, nz) of residuals of norm one, from rough to smooth.

    They are noise after k - 1 Richardson steps, log k uniform; the longest smooth over half an axis.
    """
    like = operator.inside
    e = torch.from_numpy(draw.standard_normal((count, *operator.shape))).to(like) * like
    longest = np.log(LONGEST * max(operator.shape) ** 1.5)
    for own, k in zip(e, np.exp(draw.uniform(0, longest, count)), strict=True):
        for _ in range(int(k) - 1):
            own -= operator.product(own[None])[0] / operator.bound
    r = operator.product(e)
    return e / _dot(r, r).sqrt()


def _dot(u: Tensor, v: Tensor) -> Tensor:
    return (u * v).sum((-3, -2, -1), keepdim=True)
