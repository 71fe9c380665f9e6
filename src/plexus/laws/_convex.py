"""An isotropic potential that is convex in the strain whatever its weights are, with its derivatives.

    ψ(ε) = κ a/2 θ² + μ c q² + μ e₀² [N(x) - N(x₀) - N,θ(x₀) θ/e₀],    θ = tr ε,  q² = dev ε:dev ε
    x = (θ/e₀, s_1, …, s_m),    s_k = r_k - δ_k,    r_k = sqrt(q²/e₀² + δ_k²),    x₀ = x(0)

N is the network of `plexus.learned.convex`; a and c are S of what is stored, hence positive. Then ψ is
convex in ε: θ is linear in it, s_k is the norm of (dev ε/e₀, δ_k) without its value at rest, hence convex,
and N is convex and grows in each s_k (the inputs of laws of solids after D. K. Klein et al., J. Mech. Phys.
Solids 159 (2022) 104703, doi:10.1016/j.jmps.2021.104703). The norm instead of q²: convex functions of q²
stiffen in shear, those of s_k also soften as metals do, each δ_k with a knee at a size of its own. What is
subtracted makes energy and stress at rest zero and, being linear, leaves ψ convex, so that ψ ≥ 0.

    σ = A I + B dev ε,    A = κ a θ + μ e₀ [N,θ(x) - N,θ(x₀)],    B = 2μ c + μ Σ N,k/r_k

The second derivatives of N are needed only along θ and along v = (0, 1/r_1, …, 1/r_m), so that they cost
two more passes. All formulas are for arrays and tensors alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from plexus.fields.arrays import like, stack, where
from plexus.formulation.learned import Scales
from plexus.laws._invariants import Scalars, Shape
from plexus.learned import convex
from plexus.learned.convex import Net, soft
from plexus.protocols import Array

KNEES = (0.05, 0.2, 0.6, 2.0)
"""δ_k: sizes of the shape, in units of e₀, at which the stress may turn."""


def begin(width: int, seed: int) -> dict[str, np.ndarray]:
    """Return stored weights of a fresh potential, the same on every machine."""
    return {**convex.begin(width, 1 + len(KNEES), seed), "linear": np.zeros((2, 1))}


def energy(shape: Shape, stored: Mapping[str, Array], scales: Scales) -> Array:
    """Return ψ [Pa] at points (n,)."""
    net, (a, c), (x, _) = Net.of(stored, shape.theta), _linear(stored, shape.theta), _inputs(shape, scales)
    rest = 0.0 * x
    own = net.value(x) - net.value(rest) - net.at(rest).first()[0] * x[0]
    linear = 0.5 * scales.bulk * a * shape.theta**2 + scales.shear * c * shape.square
    return linear + scales.shear * scales.strain**2 * own


def scalars(shape: Shape, stored: Mapping[str, Array], scales: Scales, tangent: bool) -> Scalars:
    """Return A, B and the slopes of the tangent at points (n,)."""
    mu, size = scales.shear, scales.strain
    net, (a, c), (x, r) = Net.of(stored, shape.theta), _linear(stored, shape.theta), _inputs(shape, scales)
    here, rest = net.at(x), net.at(0.0 * x[:, :1]).first()[0]
    slope = here.first()
    # sums of products are rounded differently from column to column, and at rest there is no stress
    still = (shape.theta == 0.0) * (shape.square == 0.0)
    pressure = scales.bulk * a * shape.theta + mu * size * where(still, 0.0, slope[0] - rest)
    shear = 2.0 * mu * c + mu * (slope[1:] / r).sum(0)
    if not tangent:
        return Scalars(pressure, shear)
    bent = here.second(_along(r))
    return Scalars(pressure, shear, (
        scales.bulk * a + mu * bent[0, 0],
        mu / size * bent[0, 1],
        mu / size**2 * (bent[1, 1] - (slope[1:] / r**3).sum(0)),
    ))  # fmt: skip


def _along(r: Array) -> tuple[Array, Array]:
    """Return the directions of θ, (1 + m, 1), and v, (1 + m, n)."""
    theta = like(np.eye(1 + len(KNEES))[:, :1], r)
    return theta, stack([0.0 * r[0], *(1.0 / r)], 0)


def _linear(stored: Mapping[str, Array], model: Array) -> tuple[Array, Array]:
    """Return a and c."""
    a, c = soft(like(stored["linear"], model))
    return a, c


def _inputs(shape: Shape, scales: Scales) -> tuple[Array, Array]:
    """Return x (1 + m, n) and r_k (m, n)."""
    square = shape.square / scales.strain**2
    r = stack([(square + knee**2) ** 0.5 for knee in KNEES], 0)
    # r - δ without the difference of near numbers
    s = [square / (r[k] + knee) for k, knee in enumerate(KNEES)]
    return stack([shape.theta / scales.strain, *s], 0), r
