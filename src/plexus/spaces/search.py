"""Which cells hold given positions: candidates, and the inverse of their maps; needs no MPI.

Candidates are cells whose bounding box holds the position; x(ξ) = x is solved for all pairs at once by
Newton's method, which needs one step where the map is affine.
"""

from __future__ import annotations

import numpy as np

from plexus.errors import InputError
from plexus.mesh.element import element
from plexus.mesh.grid import Grid
from plexus.mesh.mesh import SMALL, Mesh

TOLERANCE = 1e-6
"""How far outside a reference cell a position may lie, as rounding at the boundary."""
STEPS = 20
"""Newton steps for a cell that is not affine."""
MOST_BINS = 200
"""Bins per axis, at most."""
MARGIN = 0.15
"""Bounding boxes grow by this share of their size, since curved cells reach beyond their nodes."""
INSIDE = 1e-9
"""Distance from a reference cell that is rounding: the position lies on its boundary."""


def check_axes(mesh: Mesh | Grid, xs: np.ndarray) -> None:
    """Raise InputError unless positions (k, d) have one coordinate per axis."""
    if xs.shape[1] != mesh.dim:
        raise InputError(f"a position in this mesh has {mesh.dim} coordinates, not {xs.shape[1]}")


def refuse_lost(xs: np.ndarray, found: np.ndarray) -> None:
    """Raise InputError unless all positions (k, d) are ``found``, (k,) bool."""
    if not found.all():
        names = "; ".join("(" + ", ".join(f"{v:g}" for v in x) + ")" for x in xs[~found][:3])
        raise InputError(f"{(~found).sum()} of {len(xs)} positions lie outside the mesh: {names}")


def require_inside(mesh: Mesh, xs: np.ndarray) -> None:
    """Refuse positions (k, d) outside a mesh that this rank has whole. Not collective.

    Raises
    ------
    InputError
        If a position lies outside, or has another number of coordinates.
    """
    check_axes(mesh, xs)
    found = np.zeros(len(xs), dtype=bool)
    found[search(mesh, xs)[0]] = True
    refuse_lost(xs, found)


def around(mesh: Mesh, x: np.ndarray) -> np.ndarray:
    """Return this rank's own cells in which, or on whose boundary, one position (d,) lies. Not collective."""
    _, cells = _candidates(mesh, x[None])
    _, outside = _invert(mesh, cells, np.broadcast_to(x, (len(cells), mesh.dim)))
    return cells[outside <= INSIDE]


def search(mesh: Mesh, xs: np.ndarray, tolerance: float = TOLERANCE) -> tuple[np.ndarray, ...]:
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
