"""Values of fields at given positions: find the cell, invert its map, interpolate.

Candidates are cells whose bounding box holds the position; x(ξ) = x is solved for all pairs at once by
Newton's method, which needs one step where the map is affine. A position on a boundary of cells belongs to
the one of the lowest number, so that the answer does not depend on the ranks where a field jumps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from plexus.errors import InputError
from plexus.mesh.element import element
from plexus.mesh.mesh import SMALL, Mesh
from plexus.spaces.lagrange import Space
from plexus.spaces.materials import MaterialNodes

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

STEPS = 20
"""Newton steps for a cell that is not affine."""
MOST_BINS = 200
"""Bins per axis, at most."""
MARGIN = 0.15
"""Bounding boxes grow by this share of their size, since curved cells reach beyond their nodes."""

INSIDE = 1e-9
"""Distance from a reference cell that is rounding: the position lies on its boundary."""


class Located:
    """Positions xs (k, d) found in a mesh. Construction is collective, with equal positions on all ranks.

    Parameters
    ----------
    mesh, xs
        Where, and which positions [m].
    tolerance
        How far outside a reference cell a position may lie (rounding at the boundary).

    Raises
    ------
    InputError
        If a position lies outside the mesh.
    """

    def __init__(self, mesh: Mesh, xs: np.ndarray, tolerance: float = 1e-6):
        self.comm = mesh.comm
        self.xs = np.atleast_2d(np.asarray(xs, dtype=float))
        if self.xs.shape[1] != mesh.dim:
            raise InputError(f"a position in this mesh has {mesh.dim} coordinates, not {self.xs.shape[1]}")
        which, cells, local, outside = _search(mesh, self.xs, tolerance)
        # the cell that holds a position best, of several the one of the lowest number, on whatever rank
        best = _least(self.comm, which, outside, len(self.xs), np.inf)
        close = outside == best[which]
        which, cells, local = which[close], cells[close], local[close]
        ids, nobody = mesh.cell_ids[cells].astype(np.int64), np.iinfo(np.int64).max
        owner = _least(self.comm, which, ids, len(self.xs), nobody)
        if (owner == nobody).any():
            lost = self.xs[owner == nobody]
            names = "; ".join("(" + ", ".join(f"{v:g}" for v in x) + ")" for x in lost[:3])
            raise InputError(f"{len(lost)} of {len(self.xs)} positions lie outside the mesh: {names}")
        mine = owner[which] == ids
        self.which, self.cells, self.local = which[mine], cells[mine], local[mine]

    def evaluate(self, space: Space | MaterialNodes, array: np.ndarray) -> np.ndarray:
        """Return the values of a field array at the positions on all ranks, (k, m). Collective."""
        phi, _ = space.element.tabulate(self.local)
        found = np.zeros((len(self.xs), array.shape[1]))
        found[self.which] = np.einsum("kn,knm->km", phi, array[space.cell_nodes[self.cells]])
        total = np.empty_like(found)
        self.comm.Allreduce(found, total)
        return total


def around(mesh: Mesh, x: np.ndarray) -> np.ndarray:
    """Return this rank's own cells in which, or on whose boundary, one position (d,) lies. Not collective."""
    _, cells = _candidates(mesh, x[None])
    _, outside = _invert(mesh, cells, np.broadcast_to(x, (len(cells), mesh.dim)))
    return cells[outside <= INSIDE]


def _least(comm: Comm, which: np.ndarray, values: np.ndarray, n: int, nobody: float) -> np.ndarray:
    """Return the least value of each of n positions over all ranks, (n,). Collective."""
    mine = np.full(n, nobody, dtype=values.dtype)
    mine[which] = values
    found = np.empty_like(mine)
    comm.Allreduce(mine, found, MPI.MIN)
    return found


def _search(mesh: Mesh, xs: np.ndarray, tolerance: float) -> tuple[np.ndarray, ...]:
    """Return, for the positions found on this rank: numbers, owned cells, reference coordinates, distances.

    A distance is how far outside its reference cell a position lies, 0 within rounding.
    """
    which, cells = _candidates(mesh, xs)
    local, outside = _invert(mesh, cells, xs[which])
    keep = outside <= tolerance
    which, cells, local, outside = which[keep], cells[keep], local[keep], outside[keep]
    # of several cells take the one that holds the position best, then the one of the lowest number
    outside = np.where(outside > INSIDE, outside, 0.0)
    order = np.lexsort((mesh.cell_ids[cells], outside, which))
    _, first = np.unique(which[order], return_index=True)
    chosen = order[first]
    return which[chosen], cells[chosen], local[chosen], outside[chosen]


def _candidates(mesh: Mesh, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs (position, owned cell) whose bounding box holds the position.

    The positions are sorted into bins of a grid over their own box: each cell then looks at the few bins
    that it touches, and cells beyond the box at none.
    """
    corners = mesh.points[mesh.cells[: mesh.n_owned_cells]]
    low, high = corners.min(axis=1), corners.max(axis=1)
    margin = MARGIN * (high - low).max(axis=1, keepdims=True)
    low, high = low - margin, high + margin
    near = np.flatnonzero(((high >= xs.min(axis=0)) & (low <= xs.max(axis=0))).all(axis=1))
    low, high = low[near], high[near]
    size, width = _grid(xs)

    def bins(x: np.ndarray) -> np.ndarray:
        return np.clip(((x - xs.min(axis=0)) / width).astype(int), 0, size - 1)

    first = bins(low)
    span = bins(high) - first + 1
    cells, rest = _runs(span.prod(axis=1))
    number = np.zeros(len(cells), dtype=int)
    for axis in range(mesh.dim):
        number = number * size[axis] + first[cells, axis] + rest % span[cells, axis]
        rest //= span[cells, axis]
    home = np.ravel_multi_index(tuple(bins(xs).T), tuple(size))
    order = np.argsort(home, kind="stable")
    start = np.searchsorted(home[order], number, side="left")
    pairs, within = _runs(np.searchsorted(home[order], number, side="right") - start)
    which, cells = order[start[pairs] + within], cells[pairs]
    inside = ((xs[which] >= low[cells]) & (xs[which] <= high[cells])).all(axis=1)
    return which[inside], near[cells[inside]]


def _grid(xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return bins per axis and their widths for a grid with about as many bins as positions."""
    extent = np.ptp(xs, axis=0)
    # positions that differ by rounding only fill one bin: more would be narrower than numbers can count
    wide = extent > SMALL * np.abs(xs).max()
    per_axis = int(np.ceil(len(xs) ** (1 / max(1, np.count_nonzero(wide)))))
    size = np.where(wide, min(per_axis, MOST_BINS), 1)
    return size, np.where(wide, extent, 1.0) / size


def _runs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return i repeated counts[i] times, and the place 0, 1, … within each run."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)


def _invert(mesh: Mesh, cells: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve x(ξ) = x per pair; return ξ (k, d) and how far it lies outside the reference cell (k,)."""
    geometry = element(mesh.cell, mesh.geometry_degree)
    corners = mesh.points[mesh.cells[cells]]
    xi = np.broadcast_to(mesh.reference.vertices.mean(axis=0), x.shape).copy()
    for _ in range(1 if geometry.affine else STEPS):
        phi, dphi = geometry.tabulate(xi)
        gap = x - np.einsum("kg,kgi->ki", phi, corners)
        jacobian = np.einsum("kgi,kgj->kij", corners, dphi)
        # a candidate far away may leave the region where its map is invertible: it is dropped as not finite
        with np.errstate(all="ignore"):
            determinant = np.linalg.det(jacobian)
            jacobian[determinant == 0] = np.nan
            step = np.linalg.solve(jacobian, gap[:, :, None])[:, :, 0]
        xi += np.clip(step, -1.0, 1.0)
    outside = np.maximum(-xi, xi - 1.0).max(axis=1)
    if mesh.reference.simplex:
        outside = np.maximum(outside, xi.sum(axis=1) - 1.0)
    return xi, np.where(np.isfinite(outside), outside, np.inf)
