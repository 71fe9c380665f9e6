"""A learned energy at finite strain, polyconvex in F.

    P = ∂W/∂F,    W = W(I₁, I₂, J)    polyconvex for any weights, `plexus.potentials._polyconvex`

W and P vanish at rest, W grows beyond all bounds as J → 0, the body is isotropic, a turned one has the turned
stress, and no closed path of F gives or takes energy, whatever the training did. A bundle holds the weights
and the range of J, Ī₁ and Ī₂ that the training has seen; a solution outside of it is computed again with the
fallback, or the run stops. Sources: L. Linden, D. K. Klein, K. A. Kalina, J. Brummund, O. Weeger, M. Kästner,
J. Mech. Phys. Solids 179 (2023) 105363, doi:10.1016/j.jmps.2023.105363; B. Amos, L. Xu, J. Z. Kolter, ICML
2017, doi:10.48550/arXiv.1609.07152. Valid for isotropic bodies without memory; what is not polyconvex, as
softening in shear, it learns only in part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.potentials import _polyconvex
from plexus.potentials._invariants import Bends, Invariants, Slopes
from plexus.potentials._learned import LearnedPotential, LearnedPotentialParams
from plexus.potentials._polyconvex import Polyconvex
from plexus.protocols import Array, Point
from plexus.registry import register


class NeuralParams(LearnedPotentialParams):
    """Parameters of `Neural`; a checkpoint brings its own width."""

    width: int = Field(8, ge=1, le=64, description="neurons in each of the two hidden layers")


@register("potential", "neural", NeuralParams)
class Neural(LearnedPotential):
    """A polyconvex potential in invariants of F."""

    def chosen(self) -> dict[str, Any]:
        """Return the width."""
        return {"width": self.params.width}

    def started(self) -> dict[str, np.ndarray]:
        """Return fresh weights."""
        return _polyconvex.begin(self.hyper["width"], self.params.seed)

    def energy_of(self, p: Point, at: Invariants) -> Array:
        """Return W [Pa]."""
        return self._at(at, self.weights).energy()

    def slopes_of(self, at: Invariants, weights: Mapping[str, Array]) -> Slopes:
        """Return the first derivatives of W that weights give."""
        return self._at(at, weights).slopes()

    def bends(self, p: Point, at: Invariants) -> Bends:
        """Return the second derivatives of W."""
        return self._at(at, self.weights).bends()

    def _at(self, at: Invariants, weights: Mapping[str, Array]) -> Polyconvex:
        return Polyconvex(at, weights, self.sizes)


EXAMPLE: dict[str, Any] = {"width": 8, "seed": 1}
