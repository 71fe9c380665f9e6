"""Diffusion in a random medium on a square: -∇·(k ∇u) = f at the vertices of a grid, u = 0 around it.

k = exp(φ) is constant in each of (n + 1)² cells, φ a Gaussian field of covariance σ² ρ(|x - y|/0.05):

=========== ===================================================== ==========
covariance  ρ(t)
=========== ===================================================== ==========
exponential exp(-t)
gaussian    exp(-t²)
cubic       1 - 7t² + 8.75t³ - 3.5t⁵ + 0.75t⁷ for t ≤ 1, else 0
=========== ===================================================== ==========

Two vertices couple by the mean of the two cells beside their edge, times (n + 1)²; f is standard normal,
drawn after φ. Fields are drawn until max k/min k lies within `contrast`: for σ² = 0.1, 0.4, 1 and 2 within 5
to 15, 50 to 250, 600 to 1000 and 8e4 to 1e5 if nothing is said. Symmetric positive definite. Source: V.
Trifonov et al., ConDiff (2024), doi:10.48550/arXiv.2406.04709.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from plexus.deck.params import Field, Params
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.problems._gaussian import field, spectrum
from plexus.problems._stencil import rows_of_faces
from plexus.problems.base import COEFFICIENT, Cells, GridProblem
from plexus.protocols import LinearSystem
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import Layout

EXAMPLE: dict[str, Any] = {"type": "condiff", "cells": [32, 32], "covariance": "gaussian", "seed": 42}
LENGTH = 0.05
BOUNDS = {0.1: (5.0, 15.0), 0.4: (50.0, 250.0), 1.0: (600.0, 1000.0), 2.0: (8e4, 1e5)}
"""Variance -> contrasts that the published sets keep."""
MOST = 20_000
"""Fields that are drawn at most."""


class CondiffParams(Params):
    """Parameters of `Condiff`."""

    cells: Cells = Field(description="vertices with an unknown per axis, two equal numbers")
    covariance: Literal["exponential", "gaussian", "cubic"] = Field(
        "exponential", description="covariance of log k"
    )
    variance: float = Field(0.1, gt=0, description="variance σ² of log k")
    contrast: tuple[float, float] | None = Field(None, description="bounds of max k/min k")
    seed: int = Field(ge=0, lt=2**63, description="seed of k and f")

    @field_validator("cells")
    @classmethod
    def _a_square(cls, cells: Cells) -> Cells:
        if len(cells) != 2 or len(set(cells)) > 1:
            raise refuse(f"expected two equal numbers, the recipe is that of a square, not {list(cells)}")
        return cells

    @model_validator(mode="after")
    def _bounded(self) -> CondiffParams:
        if self.contrast is None and self.variance not in BOUNDS:
            known = ", ".join(f"{v:g}" for v in BOUNDS)
            raise refuse(f"bounds of the contrast are known for the variances {known}: give contrast")
        if self.contrast is not None and not 1 <= self.contrast[0] < self.contrast[1]:
            raise refuse("contrast needs a lower bound of at least 1 and a larger upper one")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds of the contrast."""
        return self.contrast or BOUNDS[self.variance]


@register("problem", "condiff", CondiffParams)
class Condiff(GridProblem):
    """A log-normal medium on a square."""

    def __init__(self, params: CondiffParams):
        super().__init__(params)
        self._drawn: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def shows(self) -> tuple[Any, ...]:
        """The coefficient, at vertices the mean of the cells around each."""
        return (COEFFICIENT,)

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Return k of the cells (n + 1, n + 1) and f of the vertices (n, n), drawn once.

        Raises
        ------
        InputError
            If no field lies within the bounds.
        """
        if self._drawn is None:
            p, (low, high) = self.params, self.params.bounds
            draw, n = np.random.default_rng(p.seed), self.cells[0]
            lines = spectrum((n + 1, n + 1), LENGTH, p.covariance, images=True)
            for _ in range(MOST):
                phi = np.sqrt(p.variance) * field(draw, lines)
                if low <= np.exp(np.ptp(phi)) <= high:
                    self._drawn = np.exp(phi), draw.standard_normal((n, n))
                    break
            else:
                text = f"none of {MOST} fields has a contrast of {low:g} to {high:g}"
                raise InputError(f"physics.problem.contrast: {text}")
        return self._drawn

    def layout(self, comm: Any) -> Layout:
        """Return the own layers of vertices, each shown as the cell around it. Collective."""
        n = self.cells[0]
        return replace(super().layout(comm), size=(n / (n + 1),) * 2, origin=(0.5 / (n + 1),) * 2)

    def system(self, layout: Layout, t: float) -> LinearSystem:
        """Return the own rows."""
        k, f = self.draw()
        first, last = layout.layers
        square = (len(k)) ** 2
        # edges along an axis lie between two rows of cells along the other one
        along = [(k[:, 1:] + k[:, :-1])[first : last + 1], (k[1:] + k[:-1])[first:last]]
        faces = [0.5 * square * c for c in along]
        rows = rows_of_faces(faces, np.ones(self.cells, bool), layout.layers)
        mean = 0.25 * (k[1:, 1:] + k[1:, :-1] + k[:-1, 1:] + k[:-1, :-1])
        own = slice(first, last)
        return LinearSystem(*rows, f[own].ravel(), fields={"coefficient": mean[own].ravel()})
