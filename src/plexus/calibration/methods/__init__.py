"""Methods that make an objective small, one file each: the file's name is the method's in the deck."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from plexus.calibration.objective import Ends, Fitted, Objective

Tell = Callable[[int, float, float, float], None]
"""Told iteration, Φ, |r|² and steepness."""


def minimised(name: str, objective: Objective, start: np.ndarray, ends: Ends, tell: Tell) -> Fitted:
    """Return what the method of a name finds from a start. Collective."""
    found: Fitted = import_module(f"{__name__}.{name}").minimised(objective, start, ends, tell)
    return found
