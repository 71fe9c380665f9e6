"""Two runs on one mesh: the times, points and cells that they have in common, whatever their partitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid, match
from plexus_post.readers.run import Run

NEAR = 1e-7
"""Points closer than this, relative to the size of the mesh, are the same point."""


@dataclass(frozen=True)
class Moment:
    """A time that both runs have: the first run's step and mesh, the second run's step."""

    a: Run
    b: Run
    step: int
    other: int

    @property
    def time(self) -> float:
        """The time."""
        return float(self.a.times[self.step])

    @property
    def grid(self) -> Grid:
        """The first run's mesh."""
        return self.a.mesh(self.step)

    def fields(self, names: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return both runs' values on the points or cells of the first one, of all common fields by default.

        Raises
        ------
        PostError
            If a field is not in both runs, or their meshes differ.
        """
        return {name: self._both(name) for name in _common(self.a, self.b, names)}

    def _both(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        order = _order(self.grid, self.b.mesh(self.other), self.a.place(name))
        mine, theirs = self.a.field(name, self.step), self.b.field(name, self.other)[order]
        if mine.shape != theirs.shape:
            raise PostError(f"fields of shapes {mine.shape} and {theirs.shape} cannot be compared")
        return mine, theirs


def moments(a: Run, b: Run) -> Iterator[Moment]:
    """Yield the times that two runs have in common.

    Raises
    ------
    PostError
        If there are none, or a run has no fields.
    """
    for run in (a, b):
        if not len(run.times):
            raise PostError(f"{run.name} has no fields: its deck needs an output `fields`")
    # the same output time may differ in its last digits
    near = 1e-9 * max(float(np.abs(b.times).max(initial=0.0)), 1e-300)
    found = False
    for step, time in enumerate(a.times):
        other = b.step(time=float(time))
        if abs(b.times[other] - time) <= near:
            found = True
            yield Moment(a, b, step, other)
    if not found:
        raise PostError(f"{a.name} and {b.name} have no time in common")


def _common(a: Run, b: Run, fields: list[str] | None) -> list[str]:
    common = [n for n in a.fields if n in b.fields]
    missing = [n for n in fields or [] if a.component(n)[0] not in common or b.component(n)[0] not in common]
    if missing or not common:
        what = f"no field {missing[0]!r}" if missing else "no field"
        raise PostError(f"{a.name} and {b.name} have {what} in common")
    return fields or common


def _order(a: Grid, b: Grid, location: str) -> np.ndarray:
    """Return for each point (or cell) of ``a`` its number in ``b``.

    Points are matched by global number when both files hold them, else by place; cells by their
    centres.
    """
    if location == "cell":
        return _by_place(centres(a), centres(b), a)
    # equal numbers at equal places: both grids are sorted by number already
    if a.ids is not None and b.ids is not None and np.array_equal(a.ids, b.ids):
        near = NEAR * float(a.size.max())
        if np.abs(a.points - b.points).max(initial=0.0) <= near:
            return np.arange(len(a.points))
    return _by_place(a.points, b.points, a)


def _by_place(x: np.ndarray, y: np.ndarray, grid: Grid) -> np.ndarray:
    order = match(x, y, NEAR * float(grid.size.max())) if len(x) == len(y) else np.full(1, -1)
    if (order < 0).any():
        raise PostError(f"the meshes differ: {len(x)} and {len(y)} points or cells that do not match")
    return order


def centres(grid: Grid) -> np.ndarray:
    """Return the mean of each cell's nodes (C, 3), in the order of the cell data."""
    out = np.zeros((grid.n_cells, 3))
    for _, cells, index in grid.blocks:
        out[index] = grid.points[cells].mean(axis=1)
    return out
