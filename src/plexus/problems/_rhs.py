"""Right-hand sides on the cells of a grid: normal numbers, and the flow of a rising plume."""

from __future__ import annotations

import numpy as np

from plexus.problems._centres import centres


def normal(unknown: np.ndarray, seed: int) -> np.ndarray:
    """Return standard normal numbers in the cells with an unknown, in C order, zero elsewhere."""
    found = np.zeros(unknown.shape)
    found[unknown] = np.random.default_rng(seed).standard_normal(int(unknown.sum()))
    return found


def plume(fluid: np.ndarray) -> np.ndarray:
    """Return what a vertical velocity w feeds into the cells of the unit cube, zero in solids.

    w is a Gaussian jet above the middle of the floor with six waves; through the open top it leaves.
    """
    x, y, z = np.meshgrid(*map(centres, fluid.shape), indexing="ij")
    w = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.01 - ((z - 0.2) / 0.15) ** 2)
    draw = np.random.default_rng(100)
    for _ in range(6):
        k, phase = draw.integers(1, 6, 3), draw.uniform(0, 6.28)
        w += 0.15 * np.sin(2 * np.pi * (k[0] * x + k[1] * y + k[2] * z) + phase)
    w[~fluid] = 0.0
    through = np.zeros((*fluid.shape[:2], fluid.shape[2] + 1))
    both = fluid[:, :, 1:] & fluid[:, :, :-1]
    through[:, :, 1:-1] = np.where(both, 0.5 * (w[:, :, 1:] + w[:, :, :-1]), 0.0)
    through[:, :, -1] = w[:, :, -1]
    return np.where(fluid, through[:, :, :-1] - through[:, :, 1:], 0.0)
