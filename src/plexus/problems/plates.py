"""Pressure between three thin plates with gaps at alternating ends: a long way through a cube.

The operator of `obstacles` in the cells outside the plates |z - c| < 1.01/n, c = 0.3, 0.5, 0.7, which are two
cells thick; the first and the third are open where x < 0.12, the second where x > 0.88. Symmetric positive
definite; methods that coarsen across the plates lose their way here. Source: ours, as `obstacles`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plexus.problems._centres import centres
from plexus.problems._solids import drained
from plexus.problems.base import CubeParams, GridProblem
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "plates", "cells": [16, 16, 16]}


@register("problem", "plates", CubeParams)
class Plates(GridProblem):
    """Three plates."""

    def solid(self, t: float) -> np.ndarray | None:
        """Return the cells of the plates, and those that they enclose on coarse grids."""
        n = self.cells[0]
        found = np.zeros(self.cells, dtype=bool)
        x, z = centres(n)[:, None, None], centres(n)
        for c, gap in ((0.3, x < 0.12), (0.5, x > 0.88), (0.7, x < 0.12)):
            found |= (abs(z - c) < 1.01 / n) & ~gap
        return drained(found)
