"""Initial states of suspensions: uniform ones, and random waves on top of them.

Waves are products after S. Maddu, S. Weady, M. Shelley, J. Comput. Phys. 504 (2024) 112869,
doi:10.1016/j.jcp.2024.112869:

    Ψ = (1/2π) [1 + Σ_j a_j cos(m_j q_x x + α_j) cos(n_j q_y y + β_j) cos(2θ + γ_j)^j],   j = 1..8,

with q = 2π/L, a_j uniform in ±amplitude/2 and uniform phases. (m_j, n_j) is j and 2j modulo 9 in random
order: with m_j = n_j all waves would repeat after a shift by half the box along both axes, and the flow would
keep that symmetry until rounding breaks it. The random numbers come from the seed alone, so that all ranks
and all orders of moments see the same waves. Even powers j change the concentration too; its mean is 1 all
the same, because each wave has none.

The members of an ensemble start from Ψ (1 + η + Re(b e^{2iθ})), which is a distribution where Ψ is one and
|b| <= 1 + η, with moments

    f'_m = (1 + η) f_m + (b f_(m-1) + conj(b) f_(m+1))/2.

For a nearly uniform Ψ concentration and f_1 are changed by η and b/2. Real and imaginary part of b/2 and η
have the deviation that the ensemble names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from plexus.errors import InputError
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor
POWERS = 8
"""Number of waves, and the highest moment that they reach."""
ROOM = 0.9
"""Bound on |η|, and on |b| / (1 + η): what a distribution is at most changed by."""


def random_waves(space: Fourier, order: int, amplitude: float, seed: int) -> Tensor:
    """Return the moments 0..order of the waves without the uniform state, (order+1, *shape) complex."""
    draw = np.random.default_rng(seed)
    x, y = space.points()
    qx, qy = (2 * math.pi / length for length in space.lengths)
    f = torch.zeros((order + 1, *space.shape), dtype=space.complex_dtype, device=space.device)
    for j in range(1, POWERS + 1):
        a = amplitude * (draw.random() - 0.5)
        alpha, beta, gamma = 2 * math.pi * draw.random(3)
        m, n = (j, 2 * j % 9) if draw.random() < 0.5 else (2 * j % 9, j)
        wave = a * torch.cos(m * qx * x + alpha) * torch.cos(n * qy * y + beta)
        # cos(φ)^j = 2^-j Σ_q C(j, q) e^{i(j-2q)φ}, and e^{imφ} with φ = 2θ + γ gives f_m = e^{imγ}
        for q in range(j // 2 + 1):
            spin = j - 2 * q
            if spin <= order:
                f[spin] += complex(math.comb(j, q) / 2**j * np.exp(1j * spin * gamma)) * wave
    return f


def aligned(order: int, concentration: float) -> np.ndarray:
    """Return f_m / c, m = 0..order, of the uniform state with Ψ ∝ exp(λ cos 2θ), λ = ``concentration``."""
    angle = np.arange(512) * (2 * math.pi / 512)  # periodic, so the sum converges faster than any power
    weight = np.exp(concentration * (np.cos(angle) - 1))
    return np.array([(weight * np.cos(m * angle)).sum() for m in range(order + 1)]) / weight.sum()


def nematic(order: int, ratio: float) -> np.ndarray:
    """Return f_m / c of the steady uniform state, isotropic for ``ratio`` = ζ/d_R up to 4.

    The state is `aligned` with λ = ζ r / (2 d_R), r = f_1/c.
    """
    if ratio <= 4:
        return np.array([1.0] + [0.0] * order)
    r = 1.0
    for _ in range(10000):  # a contraction towards the stable state, slow only close to the onset
        before, r = r, float(aligned(1, ratio * r / 2)[1])
        if abs(r - before) < 1e-15:
            break
    return aligned(order, ratio * r / 2)


def initial(
    space: Fourier,
    order: int,
    ratio: float,
    amplitude: float,
    seed: int,
    given: Mapping[str, Any] | None = None,
) -> Tensor:
    """Return moments 0..order, (order+1, *shape): the uniform state of ``ratio`` = ζ/d_R with random waves.

    What is ``given`` on the own grid points replaces it: ``moments`` (M, *shape), of which missing ones are
    zero; or ``concentration`` (*shape) and ``nematic`` (4, *shape), the second moment, one of them or both,
    with the higher moments of `from_alignment`.

    Raises
    ------
    InputError
        If another field is given.
    """
    f = random_waves(space, order, amplitude, seed) if amplitude else None
    uniform = torch.as_tensor(nematic(order, ratio), dtype=space.complex_dtype, device=space.device)
    base = uniform.reshape(-1, 1, 1).expand(order + 1, *space.shape)
    f = base.clone() if f is None else f + base
    return f if not given else _replaced(space, f, given)


def _replaced(space: Fourier, f: Tensor, given: Mapping[str, Any]) -> Tensor:
    """Return moments with those that are given."""
    unknown = set(given) - {"moments", "concentration", "nematic"}
    if unknown:
        raise InputError(f"a suspension starts from concentration, nematic or moments, not {sorted(unknown)}")
    order = f.shape[0] - 1
    if "moments" in given:
        whole = torch.zeros_like(f)
        found = torch.as_tensor(given["moments"], dtype=f.dtype, device=f.device)[: order + 1]
        whole[: len(found)] = found
        return whole
    c, f1 = f[0].real, f[1]
    if "concentration" in given:
        c = torch.as_tensor(given["concentration"], dtype=space.dtype, device=f.device).reshape(space.shape)
        f1 = f1 / f[0].real * c
    if "nematic" in given:
        xx, xy, _, yy = torch.as_tensor(given["nematic"], dtype=space.dtype, device=f.device)
        f1 = torch.complex(xx - yy, -2 * xy)
        c = c if "concentration" in given else xx + yy
    return from_alignment(c, f1, order)


def from_alignment(c: Tensor, f1: Tensor, order: int) -> Tensor:
    """Return moments 0..order of a realizable distribution with given c and f_1: f_m = c (f_1/c)^m."""
    return torch.stack([c * (f1 / c) ** m for m in range(order + 1)], -3)


def tilted(space: Fourier, f: Tensor, deviations: Tensor) -> Tensor:
    """Return the moments 0..K of members, (N, K+1, nx, ny), with the mean concentration of ``f``. Collective.

    Parameters
    ----------
    space
        The box.
    f
        Moments 0..K+1 of the state that the members start from, (K+2, nx, ny).
    deviations
        η, and real and imaginary part of b/2, (N, 3, nx, ny).
    """
    growth = 1 + deviations[:, 0].clamp(-ROOM, ROOM)
    b = 2 * torch.complex(deviations[:, 1], deviations[:, 2])
    most = ROOM * growth
    b = (b * (most / b.abs().clamp_min(most))).unsqueeze(1)
    below = torch.cat([f[1:2].conj(), f[:-2]])
    members = growth.unsqueeze(1) * f[:-1] + (b * below + b.conj() * f[1:]) / 2
    # what is not negative stays so when it is made larger or smaller
    mean = space.mean(members[:, 0].real)
    return members * (space.mean(f[0].real) / mean).reshape(-1, 1, 1, 1)
