"""Flow through thin channels of high conductivity that cross a cube along its axes.

    Σ_N 2 k_P k_N/(k_P + k_N) (u_P - u_N) + 2 k_P u_P [where u = 0 is held] = b_P

k is 1, and `contrast` in channels of 2 × 2 cells. Each channel draws an axis, a corner of its cross-section,
and two ends along the axis. u = 0 on the lower and upper side along z; nothing passes through the others.
Without `contrast` it is 10^u, u uniform in (2, 7), without `number` there are ⌊m n/32⌋ + 4, m of 8 to 39, by
the seed. Symmetric positive definite. Source: ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.problems.base import COEFFICIENT, CubeParams, GridProblem
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "channels", "cells": [16, 16, 16], "seed": 2000}


class ChannelsParams(CubeParams):
    """Parameters of `Channels`."""

    seed: int = Field(ge=0, lt=2**63, description="seed of places, and of what is left out below")
    contrast: float | None = Field(None, gt=0, description="coefficient of channels relative to the rest")
    number: int | None = Field(None, ge=0, le=100_000, description="number of channels")


@register("problem", "channels", ChannelsParams)
class Channels(GridProblem):
    """Channels in a cube."""

    held = ((2, 0), (2, 1))

    @property
    def shows(self) -> tuple[Any, ...]:
        """The coefficient."""
        return (COEFFICIENT,)

    def coefficient(self) -> np.ndarray:
        """Return k of all cells."""
        p, n = self.params, self.cells[0]
        draw = np.random.default_rng(p.seed)
        contrast, number = 10 ** draw.uniform(2, 7), int(draw.integers(8, 40) * n / 32) + 4
        contrast, number = p.contrast or contrast, number if p.number is None else p.number
        k, draw = np.ones(self.cells), np.random.default_rng(p.seed)
        for _ in range(number):
            axis, corner = draw.integers(3), draw.integers(2, n - 4, 3)
            low, high = np.sort(draw.integers(0, n, 2))
            channel = [slice(c, c + 2) for c in corner]
            channel[axis] = slice(low, high)
            k[tuple(channel)] = contrast
        return k
