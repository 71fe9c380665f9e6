"""Our mesh file: HDF5 that ranks read in slices.

Layout below the root, whose attributes are ``plexus_mesh`` (layout version), ``cell`` and ``degree``:
``points`` (p, dim) [m], ``cells`` (c, n) in VTK order, ``vertex_ids`` (p,) if points are periodic images,
``regions/<name>`` ascending cells, ``boundaries/<name>`` ascending pairs (cell, facet), and
``skeleton/<name>`` ascending pairs (cell, entity) of curves and points, where there are some. Files are read
independently by each rank, so any build of h5py will do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus.errors import InputError
from plexus.fileformat import special
from plexus.mesh.cells import CELLS
from plexus.mesh.exchange import slice_starts
from plexus.mesh.mesh import EXTERIOR, Estimate
from plexus.mesh.slices import Slices

VERSION = 1
_CHUNK_ROWS = 1 << 16


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
    with h5py.File(path, "w", locking=False) as file:
        file.attrs.update(plexus_mesh=VERSION, cell=whole.cell, degree=whole.degree)
        file["points"], file["cells"] = whole.points, whole.cells.astype(index)
        if whole.vertex_ids is not None:
            file["vertex_ids"] = whole.vertex_ids.astype(index)
        sorts = {"regions": whole.regions, "boundaries": whole.boundaries, "skeleton": whole.skeleton}
        for group, named in sorts.items():
            file.create_group(group)
            for name, rows in named.items():
                file[group][name] = rows


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
            raise InputError(f"{path}: cannot read the mesh, it is missing or damaged: {error}") from None
        try:
            self._check()
        except (KeyError, OSError, RuntimeError) as error:
            self._file.close()
            raise InputError(f"{path}: the mesh file is incomplete: {error}") from None

    def _check(self) -> None:
        attributes = self._file.attrs
        if attributes.get("plexus_mesh") != VERSION:
            raise InputError(
                f"{self.path}: not a Plexus mesh of layout {VERSION}; make one with plexus mesh convert"
            )
        self.cell, self.degree = str(attributes["cell"]), int(attributes["degree"])
        self.n_points, self.n_cells = len(self._file["points"]), len(self._file["cells"])
        shape = self._file["cells"].shape[1]
        if self.cell not in CELLS or shape != CELLS[self.cell].n_nodes(self.degree):
            raise InputError(f"{self.path}: {shape} nodes do not make a {self.cell} of degree {self.degree}")

    def __enter__(self) -> MeshFile:
        """Return the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def estimate(self) -> Estimate:
        """Return sizes and names."""
        names = tuple(dict.fromkeys([*self._file["boundaries"], EXTERIOR]))
        dim = CELLS[self.cell].dim
        return Estimate(
            dim, self.cell, self.n_cells, self.n_points, tuple(self._file["regions"]), names,
            degree=self.degree, skeleton=tuple(self._file.get("skeleton", ())),
        )  # fmt: skip

    def slices(self, rank: int, size: int) -> Slices:
        """Return the slice of one of ``size`` ranks.

        Raises
        ------
        InputError
            If data are missing, damaged, or name points that do not exist.
        """
        try:
            slices = self._read(rank, size)
        except (KeyError, OSError, RuntimeError) as error:
            raise InputError(f"{self.path}: the mesh file is damaged: {error}") from None
        if slices.cells.size and not 0 <= slices.cells.min() <= slices.cells.max() < self.n_points:
            raise InputError(f"{self.path}: cells name points that the file does not contain")
        return slices

    def _read(self, rank: int, size: int) -> Slices:
        file, cell_cuts = self._file, slice_starts(self.n_cells, size)
        point_cuts = slice_starts(self.n_points, size)
        c, p = slice(*cell_cuts[rank : rank + 2]), slice(*point_cuts[rank : rank + 2])
        bounds = (int(c.start), int(c.stop))
        return Slices(
            cell=self.cell, degree=self.degree, n_cells=self.n_cells, n_points=self.n_points,
            cells=file["cells"][c].astype(np.int64), points=file["points"][p],
            vertex_ids=file["vertex_ids"][p].astype(np.int64) if "vertex_ids" in file else None,
            regions={name: _between(rows, *bounds) for name, rows in file["regions"].items()},
            boundaries={name: _between(rows, *bounds) for name, rows in file["boundaries"].items()},
            skeleton={name: _between(rows, *bounds) for name, rows in file.get("skeleton", {}).items()},
        )  # fmt: skip


def _between(rows: Any, low: int, high: int) -> np.ndarray:
    """Return the rows of an ascending dataset whose (first) entry lies in [low, high)."""
    # ascending rows: the ones of a slice are found by bisection, without reading the others
    begin, end = (_first_at_least(rows, bound) for bound in (low, high))
    return rows[begin:end].astype(np.int64)


def _first_at_least(rows: Any, bound: int) -> int:
    """Return the first row whose (first) entry is at least ``bound``: bisection on the file, then a chunk."""
    low, high = 0, len(rows)
    while high - low > _CHUNK_ROWS:
        middle = (low + high) // 2
        value = int(np.ravel(rows[middle])[0])
        low, high = (low, middle) if value >= bound else (middle, high)
    part = rows[low:high]
    return low + int(np.searchsorted(part if part.ndim == 1 else part[:, 0], bound))
