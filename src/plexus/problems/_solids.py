"""Random solids in the unit cube: spheres, boxes, plates with a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.fields.connected import components
from plexus.problems._centres import centres

if TYPE_CHECKING:
    from numpy.random import Generator

SLOT = 0.3
"""Longest opening of a plate, relative to the box."""


def bodies(solid: np.ndarray, draw: Generator, count: int, radii: tuple[float, float]) -> None:
    """Put spheres and boxes of radii between two ends into ``solid``, all cells, in place."""
    x = np.meshgrid(*map(centres, solid.shape), indexing="ij", sparse=True)
    for _ in range(count):
        middle, r = draw.uniform(0.1, 0.9, 3), draw.uniform(*radii)
        if draw.uniform(0, 1) < 0.5:
            solid |= sum((a - m) ** 2 for a, m in zip(x, middle, strict=True)) < r**2
        else:
            half = r * draw.uniform(0.3, 1.2, 3)
            near = [abs(a - m) < h for a, m, h in zip(x, middle, half, strict=True)]
            solid |= near[0] & near[1] & near[2]


def slotted(solid: np.ndarray, draw: Generator, count: int) -> None:
    """Put plates one cell thick, open along a slot, into ``solid``, in place."""
    n = len(solid)
    for _ in range(count):
        axis, layer = draw.integers(3), draw.integers(2, n - 2)
        low, high = np.sort(draw.uniform(0, 1, 2))
        plate = np.moveaxis(solid, (axis, (axis + 1) % 3), (0, 1))[layer]
        at = centres(n)
        plate[~((at > low) & (at < min(high, low + SLOT)))] = True


def drained(solid: np.ndarray) -> np.ndarray:
    """Return the solid cells and those that no way through fluid joins to the top layer z."""
    fluid = ~solid
    number = np.arange(solid.size).reshape(solid.shape)
    rows, cols = [], []
    for axis in range(3):
        a, b = (np.delete(number, end, axis) for end in (-1, 0))
        both = np.delete(fluid, -1, axis) & np.delete(fluid, 0, axis)
        rows.append(a[both])
        cols.append(b[both])
    low = components(np.concatenate(rows), np.concatenate(cols), solid.size).reshape(solid.shape)
    open_ = np.zeros(solid.size, dtype=bool)
    open_[low[:, :, -1][fluid[:, :, -1]]] = True
    return ~(fluid & open_[low])
