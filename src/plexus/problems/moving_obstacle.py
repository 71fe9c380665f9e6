"""Pressure around a sphere that crosses a cube: another matrix at every time, on the same unknowns.

The operator of `obstacles` around a sphere of radius `radius` whose middle goes from x = `start` to `end`
within `duration`, at y = z = 1/2; after that it rests. Cells in the sphere keep an unknown, whose row says
u = 0. Symmetric positive definite at all times. Source: ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from plexus.deck.params import Field, Unit
from plexus.problems._centres import centres
from plexus.problems.base import CubeParams, GridProblem
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "moving_obstacle", "cells": [8, 8, 8], "duration": "20 s"}


class MovingObstacleParams(CubeParams):
    """Parameters of `MovingObstacle`."""

    rhs: Literal["normal", "plume"] = Field(
        "plume", description="the flow of a rising plume, or standard normal numbers of seed 1"
    )
    radius: float = Field(0.15, gt=0, lt=0.5, description="radius relative to the edge of the cube")
    start: float = Field(0.2, ge=0, le=1, description="x of the middle at the beginning")
    end: float = Field(0.8, ge=0, le=1, description="x of the middle in the end")
    duration: Annotated[float, Unit("s")] = Field(gt=0, description="time of the crossing, from t = 0")


@register("problem", "moving_obstacle", MovingObstacleParams)
class MovingObstacle(GridProblem):
    """A sphere on its way."""

    sequence = True

    def solid(self, t: float) -> np.ndarray | None:
        """Return the cells in the sphere at time ``t``."""
        p = self.params
        x, y, z = np.meshgrid(*map(centres, self.cells), indexing="ij", sparse=True)
        middle = p.start + (p.end - p.start) * min(max(t / p.duration, 0.0), 1.0)
        return (x - middle) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2 < p.radius**2

    def rhs(self, fluid: np.ndarray, unknown: np.ndarray) -> np.ndarray:
        """Return b, zero in the sphere."""
        return np.where(fluid, super().rhs(fluid, unknown), 0.0)
