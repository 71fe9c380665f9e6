"""Isotropic laws without memory: stress and tangent from few scalars of the volume and the shape of a strain.

    σ = A I + B d,    ∂σ/∂ε = a I⊗I + b (I⊗d + d⊗I) + c d⊗d + B I_dev,    d = dev ε

with A and B functions of θ = tr ε and q² = d:d. Where both derive from a potential ψ(θ, q²), A = ∂ψ/∂θ and
B = 2 ∂ψ/∂q², so that a = ∂A/∂θ, b = ∂B/∂θ = 2 ∂A/∂q², c = 2 ∂B/∂q², and the tangent is symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.fields.arrays import einsum, eye, like
from plexus.protocols import Array, Response

_I = np.eye(3)
_SYM = 0.5 * (np.einsum("ik,jl->ijkl", _I, _I) + np.einsum("il,jk->ijkl", _I, _I))
DEVIATOR = _SYM - np.einsum("ij,kl->ijkl", _I, _I) / 3.0
"""I_dev, (3, 3, 3, 3)."""


@dataclass(frozen=True, eq=False)
class Shape:
    """θ (...), d (..., 3, 3) and q² (...) of strains (..., 3, 3)."""

    theta: Array
    dev: Array
    square: Array


@dataclass(frozen=True, eq=False)
class Scalars:
    """A, B [Pa], and where the tangent is asked for a, b, c [Pa], each (...)."""

    pressure: Array
    shear: Array
    slopes: tuple[Array, Array, Array] | None = None


def shape_of(strain: Array) -> Shape:
    """Return volume and shape of strains (..., 3, 3)."""
    theta = einsum("...ii->...", strain)
    dev = strain - (theta / 3.0)[..., None, None] * eye(3, strain)
    return Shape(theta, dev, einsum("...ij,...ij->...", dev, dev))


def answer(shape: Shape, scalars: Scalars) -> Response:
    """Return stress, and tangent where there are slopes."""
    i = eye(3, shape.dev)
    stress = scalars.pressure[..., None, None] * i + scalars.shear[..., None, None] * shape.dev
    if scalars.slopes is None:
        return Response(stress)
    d, four = shape.dev, (..., None, None, None, None)
    a, b, c = (s[four] for s in scalars.slopes)
    mixed = einsum("ij,...kl->...ijkl", i, d)
    mixed = mixed + einsum("...ij,kl->...ijkl", d, i)
    tangent = a * einsum("ij,kl->ijkl", i, i) + b * mixed + c * einsum("...ij,...kl->...ijkl", d, d)
    return Response(stress, tangent + scalars.shear[four] * like(DEVIATOR, d))
