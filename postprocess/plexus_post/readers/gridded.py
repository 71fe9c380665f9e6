"""Fields on rectangular grids as xarray has them, (time, x, y, z[, component]); steps are read when used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from xarray import DataArray, Variable
from xarray.backends import BackendArray
from xarray.core import indexing

from plexus_post.columns import component_names
from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid
from plexus_post.units import short

if TYPE_CHECKING:
    from plexus_post.readers.run import Run

NEAR = 1e-6
"""Distance from a line of the grid, relative to its size, that counts as being on it."""


def gridded(run: Run, name: str) -> DataArray:
    """Return a field as `plexus_post.readers.run.Run.gridded` says."""
    source = _Steps(run, name)
    dims = ("time", *source.axes)
    coordinates: dict[str, Any] = {"time": run.times} | {a: (a, x) for a, x in source.axes.items()}
    if len(source.shape) > len(dims):
        dims = (*dims, "component")
        coordinates["component"] = [end[1:] for end in component_names(source.shape[-1])]
    about = {"units": short(run.unit(name)), "long_name": run.tip(name) or name}
    return DataArray(Variable(dims, indexing.LazilyIndexedArray(source)), coordinates, name=name, attrs=about)


def lines(places: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray] | None:
    """Return the coordinates along each axis and the numbers of places (N, 3) as a table over them.

    None when the places are not those of a rectangular grid; its lines need no equal distance.
    """
    tolerance = NEAR * float(np.ptp(places, axis=0).max(initial=0.0))
    axes, rows = {}, []
    for axis, x in zip("xyz", places.T, strict=True):
        order = np.argsort(x, kind="stable")
        line = np.zeros(len(x), dtype=np.int64)
        line[order] = np.concatenate([[0], np.cumsum(np.diff(x[order]) > tolerance)])
        if line.max(initial=0):
            axes[axis] = x[order[np.searchsorted(line[order], np.arange(line.max() + 1))]]
            rows.append(line)
    shape = tuple(len(x) for x in axes.values())
    if not axes or np.prod(shape) != len(places):
        return None
    table = np.full(shape, -1)
    table[tuple(rows)] = np.arange(len(places))
    return None if (table < 0).any() else (axes, table)


def centres(grid: Grid) -> np.ndarray:
    """Return the means (C, 3) of the corners of each cell, in the file's order."""
    found = np.zeros((grid.n_cells, 3))
    for _, cells, index in grid.blocks:
        found[index] = grid.points[cells].mean(axis=1)
    return found


class _Steps(BackendArray):
    """The values of a field at all steps; a step is read when it is asked for."""

    def __init__(self, run: Run, name: str):
        self._run, self._name = run, name
        self._order: tuple[Grid, np.ndarray] | None = None
        sample = run.field(name, 0)
        self.axes, table = self._table(run.mesh(0))
        self.shape = (len(run.times), *table.shape, *sample.shape[1:])
        self.dtype = sample.dtype

    def __getitem__(self, key: Any) -> Any:
        """Return the values that xarray asks for."""
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._values
        )

    def _values(self, key: tuple[Any, ...]) -> np.ndarray:
        """Return the values at whole numbers and slices."""
        steps = np.arange(self.shape[0])[key[0]]
        found = [self._step(int(s))[tuple(key[1:])] for s in np.atleast_1d(steps)]
        return np.asarray(found[0] if np.ndim(steps) == 0 else np.stack(found))

    def _step(self, step: int) -> np.ndarray:
        """Return one step (nx, ny, …); a restart may have moved the points in the file."""
        return self._run.field(self._name, step)[self._table(self._run.mesh(step))[1]]

    def _table(self, grid: Grid) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return axes and numbers of the grid's points or cells."""
        if self._order is None or self._order[0] is not grid:
            found = lines(grid.points if self._run.place(self._name) == "point" else centres(grid))
            if found is None:
                raise PostError(f"{self._run.name}: {self._name} is not on a rectangular grid")
            self._axes, self._order = found[0], (grid, found[1])
        return self._axes, self._order[1]
