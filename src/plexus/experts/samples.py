"""Which points of a grid the constraint looks at: one of each stratum of the points' numbers.

The numbers are those of the whole grid and the draw is by counting, so that no order and no ranks are asked.
"""

from __future__ import annotations

import numpy as np
import torch

from plexus.samples._counter import uniform


def stratified(points: int, count: int, seed: int, number: int = 0) -> torch.Tensor:
    """Return ``count`` ascending numbers below ``points``: one of each of as many equal strata.

    Parameters
    ----------
    points, count
        Of the whole grid, and how many are wanted.
    seed, number
        Draw: the seed of a run, and the number of the draw in it.
    """
    if count >= points:
        return torch.arange(points)
    strata = np.arange(count)
    within = uniform(seed, number, strata)
    return torch.from_numpy(((strata + within) * points / count).astype(np.int64))
