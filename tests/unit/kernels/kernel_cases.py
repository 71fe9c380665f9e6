"""Small random meshes and reference tables of every standard element, independent of plexus.spaces."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from plexus_kernels import Tables

CELLS = ("line", "triangle", "quadrilateral", "tetrahedron", "hexahedron")
DIM = dict(zip(CELLS, (1, 2, 2, 3, 3), strict=True))
SIMPLICES = ("line", "triangle", "tetrahedron")


def lattice(cell: str, p: int) -> np.ndarray:
    """Nodes of degree p on the reference element."""
    grid = np.array(list(product(range(p + 1), repeat=DIM[cell])))
    return (grid[grid.sum(1) <= p] if cell in SIMPLICES else grid) / p


def basis(cell: str, p: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lagrange basis (Q, n) and its derivatives (Q, n, d), by inversion of the monomials at the nodes."""
    nodes = lattice(cell, p)
    powers = np.rint(nodes * p).astype(int)
    d = nodes.shape[1]

    def monomials(x: np.ndarray, k: int | None) -> np.ndarray:
        e = powers.copy()
        factor = np.ones(len(e))
        if k is not None:
            factor, e[:, k] = e[:, k].astype(float), np.maximum(e[:, k] - 1, 0)
        return factor * np.prod(x[:, None, :] ** e, axis=2)

    inverse = np.linalg.inv(monomials(nodes, None))
    dphi = np.stack([monomials(at, k) @ inverse for k in range(d)], axis=2)
    return monomials(at, None) @ inverse, dphi


@dataclass
class Case:
    """Cells over shared points, with the tables of one element."""

    points: np.ndarray
    cells: np.ndarray
    cell_nodes: np.ndarray
    T: Tables
    n_nodes: int


def case(cell: str, degree: int, geo_degree: int, n_cells: int = 11, Q: int = 5, seed: int = 0) -> Case:
    """Return ``n_cells`` distorted cells that share field nodes at random, and a rule of Q random points."""
    rng = np.random.default_rng(seed)
    X = lattice(cell, geo_degree)
    d, g, n = X.shape[1], len(X), len(lattice(cell, degree))
    points = (X + 0.05 * rng.uniform(-1, 1, (n_cells, g, d))).reshape(-1, d)
    cells = rng.permutation(n_cells * g).astype(np.int32).reshape(n_cells, g)
    moved = np.empty_like(points)
    moved[cells.ravel()] = points
    at = rng.uniform(0.1, 0.3, (Q, d))
    affine = geo_degree == 1 and cell in SIMPLICES
    T = Tables(rng.uniform(0.1, 1, Q), *basis(cell, degree, at), *basis(cell, geo_degree, at), affine)
    n_nodes = 3 * n
    cell_nodes = np.array([rng.choice(n_nodes, n, replace=False) for _ in range(n_cells)], dtype=np.int32)
    return Case(moved, cells, cell_nodes, T, n_nodes)


ELEMENTS = [(c, p, g) for c in CELLS for p in (1, 2) for g in (1, 2)]
