"""Finding the cells that contain given points, and interpolating fields there.

A point x lies in a cell when the reference point xi with sum_i N_i(xi) x_i = x does; Newton's method
finds xi. Points that fall beside a curved or rounded boundary by less than `SLACK` are accepted.
"""

from __future__ import annotations

import numpy as np

from plexus_post.readers.cells import Kind
from plexus_post.readers.grid import Grid

SLACK = 1e-6
"""Enlargement of a cell in reference coordinates."""


class Locator:
    """Points (N, 2 or 3) located in a mesh once, for sampling any number of fields.

    Attributes
    ----------
    found : (N,) whether the point lies in the mesh.
    """

    def __init__(self, grid: Grid, points: np.ndarray):
        self.points = np.pad(points, [(0, 0), (0, 3 - points.shape[1])])
        self.found = np.zeros(len(points), dtype=bool)
        self._hits: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        self._others: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for kind, cells, index in grid.blocks:
            self._search(kind, grid.points, cells, index)

    def sample(self, values: np.ndarray, location: str = "point") -> np.ndarray:
        """Return values (P, …) on mesh points, or (C, …) on cells, at the located points (N, …)."""
        out = np.full((len(self.points), *values.shape[1:]), np.nan)
        for rows, nodes, weights, index in self._hits:
            if location == "cell":
                out[rows] = values[index]
            else:
                out[rows] = np.einsum("rn,rn...->r...", weights, values[nodes])
        return out

    def spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return least and largest of the values on mesh points (P, …) over all cells that hold a point.

        They differ where the mesh has a point per side of a contact, or per material; NaN outside the mesh.
        """
        low = self.sample(values)
        high = low.copy()
        for rows, nodes, weights in self._others:
            found = np.einsum("rn,rn...->r...", weights, values[nodes])
            np.minimum.at(low, rows, found)
            np.maximum.at(high, rows, found)
        return low, high

    def _search(self, kind: Kind, points: np.ndarray, cells: np.ndarray, index: np.ndarray) -> None:
        """Try for every point all cells whose bounding boxes contain it."""
        rows, tried = self._candidates(points[cells], 0.1 if kind.nodes > 4 else 1e-6)
        xi = invert(kind, points[cells[tried]], self.points[rows])
        inside = np.flatnonzero(kind.inside(xi, SLACK))
        rows, tried, weights = rows[inside], tried[inside], kind.shape(xi[inside])[0]
        # of several cells with a point on their common facet the first gives its value
        hit, first = np.unique(rows, return_index=True)
        new = ~self.found[hit]
        hit, first = hit[new], first[new]
        self._hits.append((hit, cells[tried[first]], weights[first], index[tried[first]]))
        self._others.append((rows, cells[tried], weights))
        self.found[hit] = True

    def _candidates(self, corners: np.ndarray, slack: float) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs of points and cells; boxes are enlarged because curved edges leave the nodes' box."""
        low, high = corners.min(axis=1), corners.max(axis=1)
        more = slack * (high - low).max(axis=1, keepdims=True)
        low, high = low - more, high + more
        rows, tried = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for row in range(len(self.points)):
            x = self.points[row]
            tried.append(np.flatnonzero(((x >= low) & (x <= high)).all(axis=1)))
            rows.append(np.full(len(tried[-1]), row))
        return np.concatenate(rows), np.concatenate(tried)


def invert(kind: Kind, corners: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the reference coordinates (K, dim) of points x (K, 3), each in a cell with nodes (K, n, 3).

    Newton's method on sum_i N_i(xi) x_i = x; for surfaces in space in the least-squares sense. Cells
    in which it does not converge get coordinates far outside.
    """
    # start at a point inside every shape
    xi = np.full((len(corners), kind.dim), 1 / (kind.dim + 1))
    size = np.ptp(corners, axis=1).max(axis=1)
    for _ in range(12):
        shape, slope = kind.shape(xi)
        residual = x - np.einsum("kn,knc->kc", shape, corners)
        # J = dx/dξ; its pseudo-inverse also serves surfaces in space
        jacobian = np.einsum("knd,knc->kcd", slope, corners)
        # far outside the cell the map may fold; such iterates are of no use
        xi = np.clip(xi + np.einsum("kdc,kc->kd", np.linalg.pinv(jacobian), residual), -2, 3)
        if (np.linalg.norm(residual, axis=1) < 1e-12 * size).all():
            break
    residual = x - np.einsum("kn,knc->kc", kind.shape(xi)[0], corners)
    # a point off the surface, or no convergence: not in this cell
    xi[np.linalg.norm(residual, axis=1) > 1e-6 * size] = 9.0
    return xi
