"""Which cells hold given positions: candidates, and the inverse of their maps; needs no MPI.

Candidates are cells whose bounding box holds the position; x(ξ) = x is solved for all pairs at once by
Newton's method, which needs one step where the map is affine.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from plexus.errors import InputError
from plexus.mesh.element import element
from plexus.mesh.grid import Grid
from plexus.mesh.mesh import SMALL, Mesh
from plexus.spaces.sides import both

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


def around(mesh: Mesh, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of positions (k, d) and the own cells that hold them, boundaries included."""
    which, cells = _candidates(mesh, xs)
    _, outside = _invert(mesh, cells, xs[which])
    return which[outside <= INSIDE], cells[outside <= INSIDE]


def require_one_side(mesh: Mesh, xs: np.ndarray) -> None:
    """Refuse positions (k, d) where fields have a value on each side. Collective.

    Raises
    ------
    InputError
        If a position lies on a contact, or where cells touch that share no vertex.
    """
    which, cells = around(mesh, xs)
    here = np.column_stack([which, mesh.cell_ids[cells], mesh.vertex_ids[mesh.vertices[cells]]])
    cut = np.empty((0, 2), dtype=np.int32) if mesh.cut is None else mesh.cut
    sides = mesh.cell_ids[both(mesh, cut)[..., 0]]
    every, cuts = (np.concatenate(mesh.comm.allgather(part)) for part in (here, sides))
    every = every[np.argsort(every[:, 0], kind="stable")]
    for rows in np.split(every, np.flatnonzero(np.diff(every[:, 0])) + 1):
        if len(rows) < 2:
            continue
        where = f"({', '.join(f'{v:g}' for v in xs[rows[0, 0]])})"
        way = "move it into the side that is meant"
        if np.isin(cuts, rows[:, 1]).all(axis=1).any():
            raise InputError(
                f"{where} lies on a contact, where fields have a value on each side: {way}, or name a side "
                "of facets, `on: {interface: A|B, from: A}`"
            )
        # cells around a vertex, an edge or a facet have it in common
        if not reduce(np.intersect1d, rows[:, 2:]).size:
            raise InputError(
                f"{where} lies where parts of the mesh touch that are not connected, with a value in each of "
                f"them: {way}, or connect them in the mesh"
            )


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
