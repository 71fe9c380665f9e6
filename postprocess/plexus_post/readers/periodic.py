"""Plane periodic boxes: fields of a run as arrays over x and y.

A field file holds such a box as points and quadrilaterals, and the points of the last column and row
repeat those of the first. Here they are left out: an array ``u[i, j]`` sits at ``(i dx, j dy)`` from the
corner, differences wrap around, and sums over modes are sums over the box.
"""

from __future__ import annotations

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid
from plexus_post.readers.run import Run

NEAR = 1e-6
"""Distance from the lattice, relative to the box, that counts as being on it."""
REPEATS = 1e-5
"""Opposite sides may differ by this much of the field's range; files may be in single precision."""


class Box:
    """The fields of a run on a regular periodic grid.

    Parameters
    ----------
    run
        A run whose points are those of a rectangular lattice, opposite sides included.

    Attributes
    ----------
    cells : (nx, ny); lengths : (2,) sides of the box; spacing : (2,) distance of neighbours.

    Raises
    ------
    PostError
        If the run has no fields, or its points are not such a lattice.
    """

    def __init__(self, run: Run):
        self.run = run
        self._order: tuple[Grid, np.ndarray] | None = None
        grid = run.mesh(0)
        order = self._lattice(grid)
        self.cells = (order.shape[0] - 1, order.shape[1] - 1)
        self.lengths = grid.size[:2]
        self.spacing = self.lengths / self.cells

    @property
    def times(self) -> np.ndarray:
        """Times (S,) of all steps."""
        return self.run.times

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (nx,) and (ny,) of the points, counted from the corner of the box."""
        x, y = (np.arange(n) * h for n, h in zip(self.cells, self.spacing, strict=True))
        return x, y

    def field(self, name: str, step: int | None = None) -> np.ndarray:
        """Return a field at a step (the last by default), (nx, ny) or (nx, ny, components).

        Raises
        ------
        PostError
            If the field is not on points, or differs between opposite sides.
        """
        values, number = self._values(name, step), self.run.step(step)
        whole = values[self._lattice(self.run.mesh(number))]
        gap = max(_gap(whole[0], whole[-1]), _gap(whole[:, 0], whole[:, -1]))
        if gap > REPEATS * float(np.nanmax(np.abs(whole), initial=0.0)):
            raise PostError(f"{self.run.name}: {name} is not periodic: it differs between opposite sides")
        inner = whole[:-1, :-1]
        return inner[..., 0] if inner.ndim == 3 and inner.shape[2] == 1 else inner

    def history(self, name: str, steps: list[int] | None = None) -> np.ndarray:
        """Return a field over steps (all by default), (S, nx, ny) or (S, nx, ny, components)."""
        return np.stack([self.field(name, s) for s in (range(len(self.times)) if steps is None else steps)])

    def has(self, name: str) -> bool:
        """Return whether the run holds a field."""
        return name in self.run.fields

    def vector(self, name: str, step: int | None = None) -> np.ndarray:
        """Return a vector field's components in the plane, (nx, ny, 2).

        Raises
        ------
        PostError
            If the field has fewer than two components.
        """
        values = self.field(name, step)
        if values.ndim < 3:
            raise PostError(f"{self.run.name}: {name} is not a vector field")
        return values[..., :2]

    def _values(self, name: str, step: int | None) -> np.ndarray:
        values = self.run.field(name, step)
        if self.run.fields[name] != "point":
            raise PostError(f"{self.run.name}: {name} lives on cells, not on points")
        return values

    def _lattice(self, grid: Grid) -> np.ndarray:
        """Return the point numbers (nx + 1, ny + 1) in order of x and y; a restart may have moved them."""
        if self._order is None or self._order[0] is not grid:
            order = lattice(grid.points)
            if order is None:
                raise PostError(f"{self.run.name}: its points are not a regular grid of a plane periodic box")
            self._order = grid, order
        return self._order[1]


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.nanmax(np.abs(a - b), initial=0.0))


def lattice(points: np.ndarray) -> np.ndarray | None:
    """Return the numbers of points (P, 3) as a table over x and y, or None when they are no lattice."""
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    tolerance = NEAR * float(size.max())
    if not tolerance > 0 or size[2] > tolerance or min(size[:2]) <= tolerance:
        return None
    # as many columns as x has values that differ by more than rounding
    count = [1 + int((np.diff(np.sort(points[:, a])) > tolerance).sum()) for a in (0, 1)]
    place = (points[:, :2] - low[:2]) / size[:2] * (np.array(count) - 1)
    number = np.rint(place).astype(int)
    if count[0] * count[1] != len(points) or np.abs(place - number).max() > 1e-3:
        return None
    table = np.full(count, -1)
    table[number[:, 0], number[:, 1]] = np.arange(len(points))
    return None if (table < 0).any() else table


def same_box(boxes: list[Box]) -> None:
    """Check that boxes have the same sides.

    Raises
    ------
    PostError
        If they differ.
    """
    first = boxes[0]
    for box in boxes[1:]:
        if not np.allclose(box.lengths, first.lengths, rtol=NEAR):
            sides = " and ".join(f"{b.lengths[0]:g} x {b.lengths[1]:g}" for b in (first, box))
            raise PostError(f"{first.run.name} and {box.run.name} have different boxes: {sides}")
