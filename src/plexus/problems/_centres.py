"""Where the cells of the unit interval stand."""

from __future__ import annotations

import numpy as np


def centres(n: int) -> np.ndarray:
    """Return the coordinates of the centres of n cells of the unit interval."""
    return (np.arange(n) + 0.5) / n
