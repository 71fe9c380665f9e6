"""Reading ``fields.vtkhdf``: transient unstructured grids in several partitions.

Layout (VTKHDF, type UnstructuredGrid): all parts of all steps stand one behind the other in flat
data sets; ``Steps`` holds for every step where its parts, points, cells, connectivity and values
begin. A mesh that does not change is stored once and its offsets repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fileformat import META
from plexus_post.errors import PostError
from plexus_post.grid import Grid, group, merge
from plexus_post.hdf5 import open_file, text_of

if TYPE_CHECKING:
    import h5py

ID_NAMES = ("GlobalNodeIds", "global_ids", "vtkGlobalIds", "GlobalPointIds")
"""Names of point data that number the points independently of the partition."""
GHOST = "vtkGhostType"
TOLERANCE = 1e-9
"""Distance of one point from its copy in another part, relative to the size of the mesh."""


@dataclass(frozen=True)
class _Geometry:
    grid: Grid
    first: np.ndarray  # rows of point data that represent the merged points
    owned: np.ndarray | None  # rows of cell data that are no ghosts
    n_points: int
    n_cells: int


class FieldFile:
    """One ``fields.vtkhdf``; values are read when they are asked for.

    Parameters
    ----------
    path : the file.

    Raises
    ------
    PostError
        If the file is missing, truncated or no VTKHDF unstructured grid.
    """

    def __init__(self, path: Path):
        self.path = path
        self._file = open_file(path)
        if "VTKHDF" not in self._file:
            raise PostError(f"{path}: no /VTKHDF group, so not a field file")
        self._root: h5py.Group = self._file["VTKHDF"]
        kind = text_of(self._root.attrs.get("Type", b""))
        if kind != "UnstructuredGrid":
            raise PostError(f"{path}: VTKHDF type {kind or 'missing'} is not supported (UnstructuredGrid is)")
        self._cache: dict[tuple[int, ...], _Geometry] = {}

    @cached_property
    def times(self) -> np.ndarray:
        """Times (S,) of the steps; a file without ``Steps`` has one step at time 0."""
        return self._steps["Values"][:] if self._steps is not None else np.zeros(1)

    @property
    def meta(self) -> dict[str, Any]:
        """Attributes of the metadata group as text."""
        return {k: text_of(v) for k, v in self._file[META].attrs.items()} if META in self._file else {}

    @cached_property
    def locations(self) -> dict[str, str]:
        """Field name -> ``point`` or ``cell``, without numbering and ghost marks."""
        hidden = {*ID_NAMES, GHOST}
        found = {}
        for where in ("Point", "Cell"):
            for name in self._root.get(f"{where}Data", {}):
                if name not in hidden:
                    found[name] = where.lower()
        return found

    def unit(self, name: str) -> str:
        """Return the unit of a field as written in the file, or empty text."""
        data = self._data(name)
        return text_of(data.attrs.get("unit", data.attrs.get("units", b"")))

    def grid(self, step: int) -> Grid:
        """Return the mesh of a step."""
        return self._geometry(step).grid

    def values(self, name: str, step: int) -> np.ndarray:
        """Return a field at a step, (P,) or (P, components) on points, (C,) … on cells."""
        geometry, where = self._geometry(step), self.locations[self._known(name)]
        start = self._offset(f"{where.capitalize()}DataOffsets/{name}", step)
        count = geometry.n_points if where == "point" else geometry.n_cells
        rows = self._slice(self._data(name), start, count)
        if where == "point":
            return rows[geometry.first]
        return rows if geometry.owned is None else rows[geometry.owned]

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
        if self._steps is None or name not in self._steps:
            return 0
        return int(np.ravel(self._steps[name][step])[0])

    def _slice(self, data: h5py.Dataset, start: int, count: int) -> np.ndarray:
        if start + count > len(data):
            raise PostError(f"{self.path}: {data.name} ends before row {start + count}; the file is truncated")
        return data[start : start + count]

    def _geometry(self, step: int) -> _Geometry:
        names = ("PartOffsets", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets")
        key = tuple(self._offset(n, step) for n in names)
        if key not in self._cache:
            self._cache = {key: self._read_geometry(step, *key)}
        return self._cache[key]

    def _n_parts(self, step: int, first: int) -> int:
        total = len(self._root["NumberOfPoints"])
        if self._steps is None:
            return total
        if "NumberOfParts" in self._steps:
            return int(self._steps["NumberOfParts"][step])
        later = [int(p) for p in self._steps["PartOffsets"][:] if p > first] if "PartOffsets" in self._steps else []
        return min(later, default=total) - first

    def _read_geometry(self, step: int, part: int, point: int, cell: int, corner: int) -> _Geometry:
        root, parts = self._root, slice(part, part + self._n_parts(step, part))
        n_points, n_cells, n_corners = (
            root[f"NumberOf{n}"][parts].astype(np.int64) for n in ("Points", "Cells", "ConnectivityIds")
        )
        points = self._slice(root["Points"], point, int(n_points.sum()))
        types = self._slice(root["Types"], cell, int(n_cells.sum()))
        connectivity = self._slice(root["Connectivity"], corner, int(n_corners.sum())).astype(np.int64)
        # each part brings its own list of n_cells + 1 offsets, counted within the part
        offsets = self._slice(root["Offsets"], cell + part, int((n_cells + 1).sum())).astype(np.int64)
        ends = np.cumsum(n_cells + 1) - 1
        starts = np.delete(offsets, ends) + np.repeat(np.cumsum(n_corners) - n_corners, n_cells)
        connectivity += np.repeat(np.cumsum(n_points) - n_points, n_corners)
        ids = self._ids(step, len(points))
        first, new = self._merge(points, np.repeat(np.arange(len(n_points)), n_points), ids)
        owned = self._owned(step, len(types))
        if owned is not None:
            types, starts = types[owned], starts[owned]
        cells, index = group(types, starts, new[connectivity])
        grid = Grid(_three(points[first]), cells, index, None if ids is None else ids[first])
        return _Geometry(grid, first, owned, len(points), int(n_cells.sum()))

    def _merge(self, points: np.ndarray, part: np.ndarray, ids: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        if ids is not None:
            _, first, new = np.unique(ids, return_index=True, return_inverse=True)
            return first, new.reshape(-1)
        if part.max(initial=0) == 0:
            same = np.arange(len(points))
            return same, same
        return merge(points, part, TOLERANCE * float(np.ptp(points, axis=0).max()))

    def _ids(self, step: int, count: int) -> np.ndarray | None:
        for name in ID_NAMES:
            if name in self._root.get("PointData", {}):
                start = self._offset(f"PointDataOffsets/{name}", step)
                return self._slice(self._root["PointData"][name], start, count)
        return None

    def _owned(self, step: int, count: int) -> np.ndarray | None:
        if GHOST not in self._root.get("CellData", {}):
            return None
        start = self._offset(f"CellDataOffsets/{GHOST}", step)
        return np.flatnonzero(self._slice(self._root["CellData"][GHOST], start, count) == 0)


def _three(points: np.ndarray) -> np.ndarray:
    """Return points with three coordinates; missing ones are zero."""
    return np.pad(points.astype(float), [(0, 0), (0, 3 - points.shape[1])])
