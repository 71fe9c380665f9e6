"""A learned elastic law: the stress is the derivative of a convex potential of the strain.

    σ = ∂ψ/∂ε,    ψ = ψ(tr ε, |dev ε|)    a network that is convex in ε for any weights, `plexus.laws._convex`

ψ and σ vanish at rest, the law is isotropic, its tangent symmetric and positive, and no closed path of
strain gives or takes energy, whatever the training did. It has no memory, so that of a law that has it can
learn the answer to loads that grow in proportion only. A bundle holds the weights and the range of tr ε and
|dev ε| that the training has seen; a solution outside of it is computed again with the fallback, or the run
stops. Sources: B. Amos, L. Xu, J. Z. Kolter, ICML 2017, doi:10.48550/arXiv.1609.07152; D. K. Klein et al.,
J. Mech. Phys. Solids 159 (2022) 104703, doi:10.1016/j.jmps.2021.104703. Valid at small strain, for
isotropic bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.laws import _convex
from plexus.laws._invariants import Scalars, shape_of
from plexus.laws._learned import LearnedLaw, LearnedLawParams
from plexus.protocols import Array
from plexus.registry import register


class NeuralParams(LearnedLawParams):
    """Parameters of `Neural`; a checkpoint brings its own width."""

    width: int = Field(8, ge=1, le=64, description="neurons in each of the two hidden layers")


@register("law", "neural", NeuralParams)
class Neural(LearnedLaw):
    """A convex potential in invariants of the strain."""

    def chosen(self) -> dict[str, Any]:
        """Return the width."""
        return {"width": self.params.width}

    def started(self) -> dict[str, np.ndarray]:
        """Return fresh weights."""
        return _convex.begin(self.hyper["width"], self.params.seed)

    def scalars_of(self, strain: Array, weights: Mapping[str, Array], tangent: bool) -> Scalars:
        """Return A, B and the slopes of strains (n, 3, 3)."""
        return _convex.scalars(shape_of(strain), weights, self.sizes, tangent)

    def energy(self, strain: Array) -> Array:
        """Return ψ [Pa] of strains (..., 3, 3), (...)."""
        flat = _convex.energy(shape_of(strain.reshape(-1, 3, 3)), self.weights, self.sizes)
        return flat.reshape(strain.shape[:-2])


EXAMPLE: dict[str, Any] = {"width": 8, "seed": 1}
