"""The two small networks of the learned multigrid, in NumPy: factors of couplings, smoothers and intervals.

    m = exp(c tanh f(x)),   8 → 24 → 24 → 1, for each coarse coupling
    g = exp(c tanh h(y)), ω = tanh h(y)/3,   4 → 8 → 2 + 3, for each level

x and y are local, and have no dimension and no level among them, so that one network serves all sizes and
depths. Hidden units are x/√(1 + x²). With zeros in the last layers m = g = 1, ω = 0: the multigrid without
learning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from plexus_kernels.native import conductances

REACH, SPREAD = 1.2, float(np.log(3.0))
"""Largest logarithms of a factor of a coupling, and of one of an interval's end."""
ENDS, MIXED, SHARE = 2, 3, 1 / 3
"""Ends of intervals; polynomials of lower degree that a smoother has in it, and how much of each at most."""
HIDDEN, NARROW = conductances.HIDDEN, 8
TEXTURE = ("mean_coupling", "mean_contrast", "couplings", "held")
"""Features of a level: means of two features of couplings, couplings per row, mean share of row sums."""
FEATURES = (*conductances.FEATURES, *TEXTURE)
EDGE, FLOW = len(conductances.FEATURES), conductances.FEATURES.index("flow")
"""Number of the features of a coupling, and which of them takes relaxed vectors."""
DAMPING, STEPS = 0.6, 8
"""How cells of a grid, as numbers, are relaxed into potentials: share of each step, and steps."""
SHAPES = {
    "edge.0.weight": (HIDDEN, EDGE), "edge.0.bias": (HIDDEN,),
    "edge.2.weight": (HIDDEN, HIDDEN), "edge.2.bias": (HIDDEN,),
    "edge.4.weight": (1, HIDDEN), "edge.4.bias": (1,),
    "level.0.weight": (NARROW, len(TEXTURE)), "level.0.bias": (NARROW,),
    "level.2.weight": (ENDS + MIXED, NARROW), "level.2.bias": (ENDS + MIXED,),
}  # fmt: skip
"""Weights by name, and their shapes."""


@dataclass(frozen=True, eq=False)
class Network:
    """Weights by the names of `SHAPES`, float64, and the range of each feature of the training.

    ``low`` and ``high`` hold the features of couplings, then those of levels, (12,) each.
    """

    weights: Mapping[str, np.ndarray]
    low: np.ndarray = field(default_factory=lambda: np.full(len(FEATURES), -np.inf))
    high: np.ndarray = field(default_factory=lambda: np.full(len(FEATURES), np.inf))

    @cached_property
    def flat(self) -> np.ndarray:
        """Return the weights of the network of couplings as C takes them."""
        w = self.weights
        parts = [w[f"edge.{n}.{what}"].T.ravel() for n in (0, 2, 4) for what in ("weight", "bias")]
        return np.concatenate(parts).astype(np.float64)

    @property
    def asks_for_flows(self) -> bool:
        """Return whether anything depends on flows."""
        return bool(self.weights["edge.0.weight"][:, FLOW].any())

    def factors(self, x: np.ndarray) -> np.ndarray:
        """Return m for features of couplings x (n, 8); a run has it from C."""
        w, hidden = self.weights, x @ self.weights["edge.0.weight"].T + self.weights["edge.0.bias"]
        for layer in ("edge.2", "edge.4"):
            hidden = hidden / np.sqrt(1 + hidden * hidden)
            hidden = hidden @ w[f"{layer}.weight"].T + w[f"{layer}.bias"]
        return np.exp(REACH * np.tanh(hidden[:, 0]))

    def level(self, y: np.ndarray) -> np.ndarray:
        """Return g of a level with features y (4,): for smoother and cycle; and ω₁ ω₂ ω₃ of its smoother."""
        w = self.weights
        hidden = w["level.0.weight"] @ y + w["level.0.bias"]
        out = w["level.2.weight"] @ (hidden / np.sqrt(1 + hidden * hidden)) + w["level.2.bias"]
        return np.append(np.exp(SPREAD * np.tanh(out[:ENDS])), SHARE * np.tanh(out[ENDS:]))


def mixed(shares: np.ndarray, degree: int, ratio: float) -> np.ndarray:
    """Return W_j = ω_j + … + ω_k of a smoother of degree k, (k,), from ω_{k-1}, ω_{k-2}, ω_{k-3} for it."""
    lower = np.zeros(max(degree, MIXED))
    lower[-MIXED:] = shares[::-1]
    return 1 - within(degree, ratio) * np.cumsum(lower[-degree:])


def within(degree: int, ratio: float) -> float:
    """Return what ω of at most `SHARE` are multiplied by to be safe on [ℓ b, b], ℓ = ``ratio``.

    ε_k + Σ_j |ω_j| (ε_j + ε_k) < 1 with ε_j = 1/T_j((1 + ℓ)/(1 - ℓ)): see `plexus.solvers.multigrid.learned`.
    """
    powers = np.arange(degree, max(degree - MIXED, 0) - 1, -1)
    last, *lower = 1 / np.cosh(powers * np.arccosh((1 + ratio) / (1 - ratio)))
    return float(min(1.0, 0.99 * (1 - last) / (SHARE * (sum(lower) + len(lower) * last))))


def texture(sums: np.ndarray) -> np.ndarray:
    """Return the features of a level, (4,), from the sums that C makes, added over the ranks."""
    rows, couplings, coupling, contrast, held = sums
    each = max(couplings, 1.0)
    rows = max(rows, 1.0)
    return np.array([coupling / (3 * each), contrast / (3 * each), np.log(each / (2 * rows)), held / rows])


def fresh(seed: int | None = None, size: float = 1.0) -> Network:
    """Return a network with random weights; without a seed its last layers are zero and change nothing."""
    draw = np.random.default_rng(0 if seed is None else seed)
    weights = {}
    for name, shape in SHAPES.items():
        fan = SHAPES[name.replace("bias", "weight")][1]
        weights[name] = size * draw.uniform(-1, 1, shape) / np.sqrt(fan)
        if seed is None and name.startswith(("edge.4", "level.2")):
            weights[name][:] = 0.0
    return Network(weights)
