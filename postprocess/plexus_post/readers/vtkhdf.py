"""Reading ``fields.vtkhdf``: transient unstructured grids in several partitions.

Layout (VTKHDF, type UnstructuredGrid): all parts of all steps stand one behind the other in flat
data sets; ``Steps`` holds for every step where its parts, points, cells, connectivity and values
begin. A mesh that does not change is stored once and its offsets repeat. Data sets may reserve room
for steps to come: ``NSteps`` counts the complete ones. ``/plexus`` beside it holds units and
provenance, and node numbers that are the same for every partition.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plexus.fileformat import META
from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid, group, merge
from plexus_post.readers.hdf5 import array, open_file, reading, text_of

if TYPE_CHECKING:
    import h5py

SIZES = ("NumberOfPoints", "NumberOfCells", "NumberOfConnectivityIds")
REQUIRED = (*SIZES, "Points", "Connectivity", "Offsets", "Types")


@dataclass(frozen=True)
class _Geometry:
    grid: Grid
    first: np.ndarray  # rows of point data that represent the merged points
    n_points: int


class FieldFile:
    """One ``fields.vtkhdf``; values are read when they are asked for.

    Raises
    ------
    PostError
        If the file is missing, truncated or no VTKHDF unstructured grid.
    """

    def __init__(self, path: Path):
        self.path = path
        self._file = open_file(path)
        if not hasattr(self._file.get("VTKHDF"), "keys"):
            raise PostError(f"{path}: no /VTKHDF group, so not a field file")
        self._root: h5py.Group = self._file["VTKHDF"]
        with reading(path):
            kind = text_of(self._root.attrs.get("Type", b""))
        if kind != "UnstructuredGrid":
            raise PostError(f"{path}: VTKHDF type {kind or 'missing'} is not supported (UnstructuredGrid is)")
        missing = [n for n in REQUIRED if n not in self._root]
        if missing:
            raise PostError(f"{path}: incomplete, /VTKHDF has no {', '.join(missing)}")
        with reading(path):
            for name in REQUIRED:
                array(self._root, name, "iuf" if name == "Points" else "iu", 2 if name == "Points" else 1)
        self._cache: dict[tuple[int, ...], _Geometry] = {}
        """The grid that was read last; steps that share it read it once."""

    @cached_property
    def times(self) -> np.ndarray:
        """Times (S,) of the complete steps; a file without ``Steps`` has one step at time 0."""
        if self._steps is None:
            return np.zeros(1)
        with reading(self.path):
            values = array(self._steps, "Values", "iuf", 1)
            # room for later steps may be reserved, or a step be half written
            found = values[: int(self._steps.attrs.get("NSteps", len(values)))].astype(float)
            if not np.isfinite(found).all():
                raise ValueError("a time is no number")
        return found

    def text(self, name: str) -> str:
        """Return a text of the metadata group (``deck``, ``provenance``, …), empty when there is none."""
        with reading(self.path):
            item = self._file.get(f"{META}/{name}")
            return text_of(item) if item is not None and item.shape == () else ""

    @cached_property
    def _about(self) -> dict[str, str]:
        """Field name -> one-line description, in the order in which the deck names the fields."""
        with reading(self.path):
            return {str(f["name"]): str(f.get("tip", "")) for f in json.loads(self.text("fields") or "[]")}

    @cached_property
    def locations(self) -> dict[str, str]:
        """Field name -> ``point`` or ``cell``, in the order of the deck."""
        places = {"point": "PointData", "cell": "CellData"}
        with reading(self.path):
            found = {
                name: where
                for where, group in places.items()
                for name in self._root.get(group, {})
                if array(self._root[group], name, "iufb", 1, 2) is not None
            }
        return {n: found[n] for n in [*self._about, *found] if n in found}

    def components(self, name: str) -> int:
        """Return the number of components of a field."""
        with reading(self.path):
            shape = self._data(name).shape
        return int(shape[1]) if len(shape) > 1 else 1

    def unit(self, name: str) -> str:
        """Return the unit of a field as written in the file, or empty text."""
        with reading(self.path):
            return text_of(self._data(name).attrs.get("unit", ""))

    def tip(self, name: str) -> str:
        """Return the one-line description of a field, or empty text."""
        return self._about.get(name, "")

    def grid(self, step: int) -> Grid:
        """Return the mesh of a step."""
        return self._geometry(step).grid

    def values(self, name: str, step: int) -> np.ndarray:
        """Return a field at a step, (P,) or (P, components) on points, (C,) … on cells."""
        geometry, where = self._geometry(step), self.locations[self._known(name)]
        with reading(self.path):
            start = self._offset(f"{where.capitalize()}DataOffsets/{name}", step)
            if where == "cell":
                return self._slice(self._data(name), start, geometry.grid.n_cells)
            return self._slice(self._data(name), start, geometry.n_points)[geometry.first]

    @property
    def _steps(self) -> h5py.Group | None:
        return self._root.get("Steps")

    def _known(self, name: str) -> str:
        if name not in self.locations:
            raise PostError(f"{self.path}: no field {name!r}; it holds {', '.join(self.locations) or 'none'}")
        return name

    def _data(self, name: str) -> h5py.Dataset:
        return self._root[f"{self.locations[self._known(name)].capitalize()}Data"][name]

    def _offset(self, name: str, step: int) -> int:
        """Return where a step begins in a flat data set (0 in a file without steps)."""
        # a file without steps has one grid and one set of values, at row 0
        if self._steps is None or name not in self._steps:
            return 0
        return int(np.ravel(self._steps[name][step])[0])

    def _slice(self, data: h5py.Dataset, start: int, count: int) -> np.ndarray:
        if min(start, count) < 0 or start + count > len(data):
            raise PostError(f"{self.path}: truncated, {data.name} ends before row {start + count}")
        return data[start : start + count]

    def _geometry(self, step: int) -> _Geometry:
        # steps on the same grid have the same offsets; a restart on other ranks begins a new grid
        names = ("PartOffsets", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets")
        with reading(self.path):
            key = tuple(self._offset(n, step) for n in names)
            if key not in self._cache:
                self._cache = {key: self._read_geometry(step, *key)}
        return self._cache[key]

    def _read_geometry(self, step: int, part: int, point: int, cell: int, corner: int) -> _Geometry:
        root = self._root
        count = len(root["NumberOfPoints"]) if self._steps is None else self._offset("NumberOfParts", step)
        n_points, n_cells, n_corners = (self._slice(root[n], part, count).astype(np.int64) for n in SIZES)
        if min(n.min(initial=0) for n in (n_points, n_cells, n_corners)) < 0:
            raise ValueError("a part has a negative size")
        points = _three(self._slice(root["Points"], point, int(n_points.sum())))
        types = self._slice(root["Types"], cell, int(n_cells.sum()))
        connectivity = self._slice(root["Connectivity"], corner, int(n_corners.sum())).astype(np.int64)
        # each part brings its own list of n_cells + 1 offsets, counted within the part
        offsets = self._slice(root["Offsets"], cell + part, int((n_cells + 1).sum())).astype(np.int64)
        # the last offset of a part closes it; numbers of links and points count on over the parts
        starts = np.delete(offsets, np.cumsum(n_cells + 1) - 1)
        starts += np.repeat(np.cumsum(n_corners) - n_corners, n_cells)
        if not (connectivity >= 0).all() or (connectivity >= np.repeat(n_points, n_corners)).any():
            raise ValueError("a cell has points that are not there")
        if not np.isfinite(points).all():
            raise ValueError("a point has no place")
        connectivity += np.repeat(np.cumsum(n_points) - n_points, n_corners)
        ids = self._ids(point, len(points))
        first, new = merge(points, np.repeat(np.arange(count), n_points), ids)
        cells, index = group(types, starts, new[connectivity])
        grid = Grid(points[first], cells, index, None if ids is None else ids[first])
        return _Geometry(grid, first, len(points))

    def _ids(self, start: int, count: int) -> np.ndarray | None:
        """Return the partition-independent numbers of a grid's points, or None without them."""
        if f"{META}/node_ids" not in self._file:
            return None
        return self._slice(array(self._file, f"{META}/node_ids", "iu", 1), start, count)


def _three(points: np.ndarray) -> np.ndarray:
    """Return points with three coordinates; missing ones are zero."""
    return np.pad(points.astype(float), [(0, 0), (0, 3 - points.shape[1])])
