"""Pressure of a flow around solids in a cube: the 7-point Laplacian of fluid cells, u = 0 on the top.

    Σ_N (u_P - u_N) + 2 u_P [at the top] = b_P,   N the fluid neighbours of cell P

Cells in solids have no unknown. `many`: 12 spheres and boxes of seed 0; `empty`: none; `random`: 2 to 9 of
them and up to 3 plates with a slot, by seed, where only fluid that reaches the top counts. The top is z = 1;
nothing passes through the other sides. Symmetric positive definite. Source: the projection step of A. Kaneda
et al., ICML (2023), doi:10.48550/arXiv.2205.10763; bodies and plates are ours.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from plexus.deck.params import Field
from plexus.deck.values import refuse
from plexus.problems._solids import bodies, drained, slotted
from plexus.problems.base import CubeParams, GridProblem
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "obstacles", "cells": [16, 16, 16], "layout": "random", "seed": 201}


class ObstaclesParams(CubeParams):
    """Parameters of `Obstacles`."""

    layout: Literal["many", "empty", "random"] = Field("many", description="which solids there are")
    seed: int | None = Field(None, ge=0, lt=2**63, description="seed of the layout random")

    @model_validator(mode="after")
    def _seeded(self) -> ObstaclesParams:
        if (self.layout == "random") != (self.seed is not None):
            raise refuse("the layout random and a seed belong together")
        return self


@register("problem", "obstacles", ObstaclesParams)
class Obstacles(GridProblem):
    """Solids in a cube."""

    def solid(self, t: float) -> np.ndarray | None:
        """Return which cells are solid, or enclosed by solids."""
        if self.params.layout == "empty":
            return None
        found = np.zeros(self.cells, dtype=bool)
        if self.params.layout == "many":
            bodies(found, np.random.default_rng(0), 12, (0.04, 0.12))
            return drained(found)
        draw = np.random.default_rng(self.params.seed)
        bodies(found, draw, draw.integers(2, 10), (0.05, 0.15))
        slotted(found, draw, draw.integers(0, 4))
        found[:, :, -1] = False
        return drained(found)
