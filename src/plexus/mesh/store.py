"""Our mesh file: HDF5 that ranks read in slices.

Layout below the root, whose attributes are ``plexus_mesh`` (layout version), ``cell``, ``degree`` and
``parts`` (JSON, rows of each named dataset):
``points`` (p, dim) [m], ``cells`` (c, n) in VTK order, ``vertex_ids`` (p,) if points are periodic images,
``regions/<name>`` ascending cells, ``boundaries/<name>`` ascending pairs (cell, facet), and
``skeleton/<name>`` ascending pairs (cell, entity) of curves and points, where there are some. Datasets are
stored in chunks with sums, headers in the layout of HDF5 1.10, which has sums too, so that damage is found.
Files are read independently by each rank, so any build of h5py will do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from plexus.errors import InputError
from plexus.fileformat import special
from plexus.mesh.cells import CELLS
from plexus.mesh.exchange import slice_starts
from plexus.mesh.mesh import EXTERIOR, Estimate
from plexus.mesh.slices import Slices
from plexus.runtime.files import reason

VERSION = 1
GROUPS = ("regions", "boundaries", "skeleton")
_CHUNK_ROWS = 1 << 16
_SUMS_SINCE = 2
"""Version of the superblock of HDF5 since which headers have sums."""


def write(path: Path, whole: Slices) -> None:
    """Write a mesh that is one slice to ``path``.

    Raises
    ------
    InputError
        If a region or boundary name contains a slash, which HDF5 reserves.
    """
    import h5py

    bad = [name for name in (*whole.regions, *whole.boundaries, *whole.skeleton) if "/" in name]
    if bad:
        raise InputError(f"{path}: a name with a slash cannot be stored: {', '.join(bad)}")
    # four bytes halve the biggest data set
    index = np.int32 if whole.n_points < 2**31 else np.int64
    with h5py.File(path, "w", libver="v110", locking=False) as file:
        file.attrs.update(plexus_mesh=VERSION, cell=whole.cell, degree=whole.degree)
        _put(file, "points", whole.points)
        _put(file, "cells", whole.cells.astype(index))
        if whole.vertex_ids is not None:
            _put(file, "vertex_ids", whole.vertex_ids.astype(index))
        sorts = {"regions": whole.regions, "boundaries": whole.boundaries, "skeleton": whole.skeleton}
        for group, named in sorts.items():
            file.create_group(group)
            for name, rows in named.items():
                _put(file, f"{group}/{name}", rows)
        parts = {
            f"{group}/{name}": len(rows) for group, named in sorts.items() for name, rows in named.items()
        }
        file.attrs["parts"] = json.dumps(parts)


def _put(file: Any, key: str, rows: np.ndarray) -> None:
    """Store rows in chunks that carry their sums: damage is found when a chunk is read."""
    n = min(len(rows), _CHUNK_ROWS)
    sums = {"chunks": (n, *rows.shape[1:]), "fletcher32": True} if n else {}
    file.create_dataset(key, data=rows, **sums)


def require_sound(path: str | Path) -> None:
    """Refuse a file at which HDF5 itself would crash or hang (one rank); quick for files with sums.

    Raises
    ------
    InputError
        With the reason.
    """
    if what := special(path):
        raise InputError(f"{path} is {what}, not a file")
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except OSError as error:
        raise InputError(f"{path}: cannot read the mesh: {error.strerror}") from None
    if head[:8] == b"\x89HDF\r\n\x1a\n" and head[8:] < bytes([_SUMS_SINCE]):
        from plexus.runtime.sound import problem

        told = problem(Path(path))
        if told:
            raise InputError(f"{path}: the mesh file is damaged: {told}")


class MeshFile:
    """A mesh file, open for reading; use it as a context manager.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not one of ours.
    """

    def __init__(self, path: str | Path):
        import h5py

        self.path = Path(path)
        if what := special(path):
            raise InputError(f"{path} is {what}, not a file")
        try:
            # without a lock, which file systems may refuse, and other ranks and programs may hold
            self._file = h5py.File(self.path, "r", locking=False)
        except OSError as error:
            raise InputError(
                f"{path}: cannot read the mesh, it is missing or damaged: {reason(error, self.path)}"
            ) from None
        try:
            with self._told():
                self._check()
        except InputError:
            self._file.close()
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what HDF5 and h5py raise into an error that names the file."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except (KeyError, OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            text = reason(error, self.path)
            raise InputError(f"{self.path}: the mesh file is damaged or incomplete: {text}") from None

    def _check(self) -> None:
        attributes = self._file.attrs
        if attributes.get("plexus_mesh") != VERSION:
            raise InputError(f"not a Plexus mesh of layout {VERSION}; make one with plexus mesh convert")
        self.cell, self.degree = str(attributes["cell"]), int(attributes["degree"])
        points, cells = self._data("points", 2, "f"), self._data("cells", 2, "i")
        self.n_points, self.n_cells = len(points), len(cells)
        known = self.cell in CELLS and self.degree in (1, 2)
        if not known or cells.shape[1] != CELLS[self.cell].n_nodes(self.degree):
            raise InputError(f"{cells.shape[1]} nodes do not make a {self.cell} of degree {self.degree}")
        # files of earlier versions do not tell their parts
        parts = json.loads(attributes.get("parts", "null"))
        there = {f"{g}/{n}": len(self._file[g][n]) for g in GROUPS for n in self._names(g)}
        if parts is not None and parts != there:
            odd = sorted(key for key in {**parts, **there} if parts.get(key) != there.get(key))
            raise InputError(f"{odd[0]} has not the rows that it was written with")
        if points.shape[1] != CELLS[self.cell].dim or not self.n_cells:
            raise InputError(f"{points.shape[1]} coordinates and {self.n_cells} cells do not make a mesh")

    def _data(self, key: str, ndim: int, kinds: str) -> Any:
        from plexus.runtime.sound import dataset

        return dataset(self._file, key, ndim, kinds)

    def _names(self, group: str) -> tuple[str, ...]:
        return tuple(self._file[group]) if group in self._file or group != "skeleton" else ()

    def __enter__(self) -> MeshFile:
        """Return the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def estimate(self) -> Estimate:
        """Return sizes and names.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        with self._told():
            names = tuple(dict.fromkeys([*self._names("boundaries"), EXTERIOR]))
            return Estimate(
                CELLS[self.cell].dim, self.cell, self.n_cells, self.n_points, self._names("regions"), names,
                degree=self.degree, skeleton=self._names("skeleton"),
            )  # fmt: skip

    def slices(self, rank: int, size: int) -> Slices:
        """Return the slice of one of ``size`` ranks.

        Raises
        ------
        InputError
            If data are missing, damaged, or name points or sides that do not exist.
        """
        with self._told():
            slices = self._read(rank, size)
            self._require_sense(slices)
        return slices

    def _read(self, rank: int, size: int) -> Slices:
        cell_cuts = slice_starts(self.n_cells, size)
        point_cuts = slice_starts(self.n_points, size)
        c, p = slice(*cell_cuts[rank : rank + 2]), slice(*point_cuts[rank : rank + 2])
        bounds = (int(c.start), int(c.stop))
        images = self._data("vertex_ids", 1, "i") if "vertex_ids" in self._file else None
        if images is not None and len(images) != self.n_points:
            raise InputError("vertex_ids has another length than points")
        named = {
            group: {
                name: _between(self._data(f"{group}/{name}", ndim, "i"), *bounds)
                for name in self._names(group)
            }
            for group, ndim in (("regions", 1), ("boundaries", 2), ("skeleton", 2))
        }
        return Slices(
            cell=self.cell, degree=self.degree, n_cells=self.n_cells, n_points=self.n_points,
            cells=self._data("cells", 2, "i")[c].astype(np.int64),
            points=self._data("points", 2, "f")[p].astype(float),
            vertex_ids=None if images is None else images[p].astype(np.int64),
            regions=named["regions"], boundaries=named["boundaries"], skeleton=named["skeleton"],
        )  # fmt: skip

    def _require_sense(self, slices: Slices) -> None:
        """Refuse numbers that name nothing, and coordinates that are none."""
        cell = slices.reference
        if slices.cells.size and not 0 <= slices.cells.min() <= slices.cells.max() < self.n_points:
            raise InputError("cells name points that the file does not contain")
        odd = ~np.isfinite(slices.points).all(axis=1)
        if odd.any():
            raise InputError(f"a point lies at {slices.points[np.argmax(odd)]}: a coordinate is no number")
        ids = slices.vertex_ids
        if ids is not None and ids.size and not 0 <= ids.min() <= ids.max() < self.n_points:
            raise InputError("vertex_ids names points that the file does not contain")
        entities = cell.n_vertices + len(cell.edges)
        for named, most in ((slices.boundaries, len(cell.facets)), (slices.skeleton, entities)):
            for name, rows in named.items():
                if rows.size and not 0 <= rows[:, 1].min() <= rows[:, 1].max() < most:
                    raise InputError(f"{name} names sides that a {self.cell} does not have")


def _between(rows: Any, low: int, high: int) -> np.ndarray:
    """Return the rows of an ascending dataset whose (first) entry lies in [low, high)."""
    # ascending rows: the ones of a slice are found by bisection, without reading the others
    begin, end = (_first_at_least(rows, bound) for bound in (low, high))
    found: np.ndarray = rows[begin:end].astype(np.int64)
    first = found if found.ndim == 1 else found[:, 0]
    # no cell has 64 facets or entities; a lost page of zeros has the sum of a good one, but repeats rows
    key = first if found.ndim == 1 else first * 64 + found[:, 1]
    if len(found) and not (low <= first[0] and first[-1] < high and (np.diff(key) > 0).all()):
        raise InputError(f"{rows.name} is not in ascending order")
    return found


def _first_at_least(rows: Any, bound: int) -> int:
    """Return the first row whose (first) entry is at least ``bound``: bisection on the file, then a chunk."""
    low, high = 0, len(rows)
    while high - low > _CHUNK_ROWS:
        middle = (low + high) // 2
        value = int(np.ravel(rows[middle])[0])
        low, high = (low, middle) if value >= bound else (middle, high)
    part = rows[low:high]
    return low + int(np.searchsorted(part if part.ndim == 1 else part[:, 0], bound))
