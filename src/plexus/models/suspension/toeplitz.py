"""Which angular moments belong to a non-negative distribution: the trigonometric moment problem.

Moments c_m = ∫ exp(-i m φ) Ψ dφ / ∫ Ψ dφ (c_0 = 1) belong to some Ψ >= 0 if and only if their Toeplitz
matrix is positive semi-definite. Given c_1..c_K the next one lies in a disk,

    |c_(K+1) - s_K| <= E_K,    s_K = Σ_j a_j c_(K+1-j),    E_K = Π_(m<=K) (1 - |k_m|²),

k_m the reflection coefficients (Verblunsky coefficients) and a_j the predictor of the Levinson-Durbin
recursion. With φ = 2θ the spin moments f_m of a suspension of rods are c_m = f_m / c.

Source: J. Durbin, Revue de l'Institut International de Statistique 28 (1960) 233-244, doi:10.2307/1401322;
B. Simon, Orthogonal Polynomials on the Unit Circle, 2005, doi:10.1090/coll054.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Tensor = Any
TINY = 1e-12
"""Least room that the recursion leaves: at |k_m| = 1 the later coefficients are 0/0."""


@dataclass(frozen=True)
class Disk:
    """Where the next moment may lie; complex ``center``, real ``radius`` >= 0, and k_1..k_K."""

    center: Tensor
    radius: Tensor
    reflections: tuple[Tensor, ...]

    def pull(self, moment: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nearest point of the disk and where that changes the moment.

        What lies outside by rounding only counts as inside, so that pulling twice changes nothing.
        """
        away = moment - self.center
        distance = away.abs()
        outside = distance > self.radius * (1 + 1e-12) + 1e-15
        # the distance is replaced where it is not used: 0/0 would poison gradients
        shrunk = self.center + away * (self.radius / distance.where(outside, distance.detach() + 1))
        return shrunk.where(outside, moment), outside


def disk(moments: Sequence[Tensor], cap: float = 1.0) -> Disk:
    """Return where c_(K+1) may lie, given c_1..c_K (complex tensors of one shape).

    ``cap`` bounds |k_m| for m >= 2, so that given moments on the edge of what is possible, or a little
    beyond, still lead to a bounded prediction.
    """
    first = moments[0]
    predictor, reflections = [first], [first]
    room = _room(first).clamp_min(0.0)
    for m, moment in enumerate(moments[1:], start=2):
        guess = sum(a * moments[m - 2 - j] for j, a in enumerate(predictor))
        k = (moment - guess) / room.clamp_min(TINY)
        k = k * (cap / k.abs().clamp_min(cap))
        predictor = [a - k * b.conj() for a, b in zip(predictor, reversed(predictor), strict=True)] + [k]
        reflections.append(k)
        room = room * _room(k)
    known = list(moments)[::-1]
    center = sum(a * c for a, c in zip(predictor, known, strict=True))
    return Disk(center, room, tuple(reflections))


def _room(k: Tensor) -> Tensor:
    """Return 1 - |k|²; without a square root, whose derivative has no value at zero."""
    return 1 - (k * k.conj()).real
