"""The mesh of one step: points without interface duplicates, cells grouped by shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.cells import KINDS, Kind

NEAR = 1e-9
"""Distance of a point from its copy in another part, relative to the size of the mesh."""


@dataclass(frozen=True)
class Grid:
    """Points and cells of all partitions together.

    Attributes
    ----------
    points : (P, 3) coordinates; points that partitions share appear once.
    cells : shape name -> (C, nodes) point numbers.
    index : shape name -> (C,) position of each cell in the file's cell data.
    ids : (P,) global point numbers, or None when the file holds none.
    """

    points: np.ndarray
    cells: dict[str, np.ndarray]
    index: dict[str, np.ndarray] = field(default_factory=dict)
    ids: np.ndarray | None = None

    def __iter__(self) -> Iterator[object]:
        """Unpack as ``points, cells = grid``."""
        return iter((self.points, self.cells))

    @property
    def blocks(self) -> list[tuple[Kind, np.ndarray, np.ndarray]]:
        """Shape, cells and cell positions of each group."""
        kinds = {k.name: k for k in KINDS.values()}
        return [(kinds[n], c, self.index[n]) for n, c in self.cells.items()]

    @property
    def dim(self) -> int:
        """Dimension of the cells."""
        return max(kind.dim for kind, _, _ in self.blocks)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return sum(len(c) for c in self.cells.values())

    @property
    def size(self) -> np.ndarray:
        """Lengths (3,) of the bounding box."""
        return np.ptp(self.points, axis=0)


def group(types: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray) -> tuple[dict, dict]:
    """Split a VTK connectivity list into one table per cell shape.

    Raises
    ------
    PostError
        If a cell shape is not supported, or the cells have different dimensions.
    """
    cells, index, dims = {}, {}, set()
    for vtk in np.unique(types):
        if int(vtk) not in KINDS:
            raise PostError(f"cells of VTK type {vtk} are not supported")
        kind, where = KINDS[int(vtk)], np.flatnonzero(types == vtk)
        first = offsets[where]
        if len(first) and not 0 <= first.min() <= first.max() <= len(connectivity) - kind.nodes:
            raise PostError(f"a cell of VTK type {vtk} lies outside of the links")
        cells[kind.name] = connectivity[first[:, None] + np.arange(kind.nodes)]
        index[kind.name] = where
        dims.add(kind.dim)
    if len(dims) > 1:
        raise PostError(
            f"cells of dimensions {' and '.join(map(str, sorted(dims)))} in one mesh are not supported"
        )
    return cells, index


def match(a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """Return for each point of a (N, 3) the number of the nearest point of b within tolerance, or -1.

    Both sets are sorted along one oblique direction, so that few candidates need a distance.
    """
    # oblique to all axes and diagonals, so that lattices do not pile up in one value
    direction = np.array([0.8017, 0.5345, 0.2673])
    key = b @ direction
    order = np.argsort(key, kind="stable")
    key = key[order]
    start = np.searchsorted(key, a @ direction - tolerance, side="left")
    stop = np.searchsorted(key, a @ direction + tolerance, side="right")
    found, best = np.full(len(a), -1), np.full(len(a), np.inf)
    # the k-th candidate of all points at once; few points have more than one
    for k in range(int((stop - start).max(initial=0))):
        rows = np.flatnonzero(start + k < stop)
        other = order[start[rows] + k]
        distance = np.linalg.norm(a[rows] - b[other], axis=1)
        closer = (distance <= tolerance) & (distance < best[rows])
        found[rows[closer]], best[rows[closer]] = other[closer], distance[closer]
    return found


def merge(points: np.ndarray, part: np.ndarray, ids: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Find the points that several parts share.

    Points with the same number are one, unless they lie at different places (periodic images).
    Without numbers, points of different parts at the same place are one; coincident points of one
    part (a crack, a contact) stay apart, because they are told apart by their order in the part.

    Parameters
    ----------
    points, part
        Coordinates (P, 3) and part (P,) of all points.
    ids
        Numbers (P,) that do not depend on the partition, or None.

    Returns
    -------
    first, new
        Rows (U,) that represent the points, and for each row (P,) its position among them.
    """
    tolerance = NEAR * max(float(np.ptp(points, axis=0).max(initial=0.0)), 1e-300) if len(points) else 1.0
    if ids is None:
        # copies come from the same arithmetic: equal but for the last digits
        place = np.round(points / tolerance).astype(np.int64)
        key = np.column_stack([place, _occurrence(place, part)])
    else:
        _, first, new = _unique(ids)
        # a periodic image carries its original's number but lies elsewhere
        away = points - points[first[new]]
        if (np.abs(away) <= tolerance).all():
            return first, new
        key = np.column_stack([ids, np.round(away / (1e3 * tolerance)).astype(np.int64)])
    _, first, new = _unique(key)
    return first, new


def _unique(key: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, first, new = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return rows, first, new.reshape(-1)


def _occurrence(place: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return for each point how many points of its part at its place precede it, (P,)."""
    order = np.lexsort((part, *place.T))
    same = (np.diff(place[order], axis=0) == 0).all(axis=1) & (np.diff(part[order]) == 0)
    # running count of equal neighbours minus its value where their group began
    run = np.concatenate([[0], np.cumsum(same)])[: len(order)]
    start = np.maximum.accumulate(np.where(np.concatenate([[False], same])[: len(order)], 0, run))
    count = np.zeros(len(order), dtype=np.int64)
    count[order] = run - start
    return count
