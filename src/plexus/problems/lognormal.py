"""Flow through a random medium: k = exp(φ) with a Gaussian field φ of exponential covariance.

The operator of `channels` with cov φ(x), φ(y) = σ² exp(-|x - y|/ℓ). Without `variance` σ² is uniform in (1,
6), without `length` ℓ is 0.05·32/n of the edge: as many cells on any grid. Circulant embedding on twice as
many cells; eigenvalues below zero are set to zero. Symmetric positive definite. Source: R. A. Freeze, Water
Resour. Res. 11 (1975) 725-741, doi:10.1029/WR011i005p00725.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.problems._gaussian import field, spectrum
from plexus.problems.base import COEFFICIENT, CubeParams, GridProblem
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "lognormal", "cells": [16, 16, 16], "seed": 0}


class LognormalParams(CubeParams):
    """Parameters of `Lognormal`."""

    seed: int = Field(ge=0, lt=2**63, description="seed of the field, and of the variance if left out")
    variance: float | None = Field(None, gt=0, description="variance σ² of log k")
    length: float | None = Field(None, gt=0, lt=1, description="correlation length ℓ relative to the edge")


@register("problem", "lognormal", LognormalParams)
class Lognormal(GridProblem):
    """A log-normal medium in a cube."""

    held = ((2, 0), (2, 1))

    @property
    def shows(self) -> tuple[Any, ...]:
        """The coefficient."""
        return (COEFFICIENT,)

    def coefficient(self) -> np.ndarray:
        """Return k of all cells."""
        p, draw = self.params, np.random.default_rng(self.params.seed)
        variance = draw.uniform(1, 6)
        lines = spectrum(self.cells, p.length or 0.05 * 32 / self.cells[0], "exponential", images=False)
        return np.asarray(np.exp(np.sqrt(p.variance or variance) * field(draw, lines)))
