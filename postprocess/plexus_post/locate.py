"""Finding the cells that contain given points, and interpolating fields there.

A point x lies in a cell when the reference point xi with sum_i N_i(xi) x_i = x does; Newton's method
finds xi. Points that fall beside a curved or rounded boundary by less than `SLACK` are accepted.
"""

from __future__ import annotations

import numpy as np

from plexus_post.cells import Kind
from plexus_post.grid import Grid

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

    def _search(self, kind: Kind, points: np.ndarray, cells: np.ndarray, index: np.ndarray) -> None:
        """Try for every point the cells whose bounding boxes contain it, nearest centre first."""
        corners = points[cells]
        low, high = corners.min(axis=1), corners.max(axis=1)
        slack = 1e-6 * (high - low).max(axis=1, keepdims=True)
        slack = slack + (0.1 * (high - low).max(axis=1, keepdims=True) if kind.nodes > 4 else 0)
        for row in np.flatnonzero(~self.found):
            x = self.points[row]
            near = np.flatnonzero(((x >= low - slack) & (x <= high + slack)).all(axis=1))
            if len(near):
                self._try(row, kind, corners[near], cells[near], index[near])

    def _try(self, row: int, kind: Kind, corners: np.ndarray, cells: np.ndarray, index: np.ndarray) -> None:
        xi = invert(kind, corners, self.points[row])
        inside = np.flatnonzero(kind.inside(xi, SLACK))
        if len(inside):
            best = inside[:1]
            weights = kind.shape(xi[best])[0]
            self._hits.append((np.array([row]), cells[best], weights, index[best]))
            self.found[row] = True


def invert(kind: Kind, corners: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the reference coordinates (K, dim) of one point x (3,) in cells with nodes (K, n, 3).

    Newton's method on sum_i N_i(xi) x_i = x; for surfaces in space in the least-squares sense. Cells
    in which it does not converge get coordinates far outside.
    """
    xi = np.full((len(corners), kind.dim), 1 / (kind.dim + 1))
    size = np.ptp(corners, axis=1).max(axis=1)
    for _ in range(12):
        shape, slope = kind.shape(xi)
        residual = x - np.einsum("kn,knc->kc", shape, corners)
        jacobian = np.einsum("knd,knc->kcd", slope, corners)
        xi = np.clip(xi + np.einsum("kdc,kc->kd", np.linalg.pinv(jacobian), residual), -2, 3)
        if (np.linalg.norm(residual, axis=1) < 1e-12 * size).all():
            break
    residual = x - np.einsum("kn,knc->kc", kind.shape(xi)[0], corners)
    xi[np.linalg.norm(residual, axis=1) > 1e-6 * size] = 9.0
    return xi
