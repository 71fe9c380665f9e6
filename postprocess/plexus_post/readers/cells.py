"""Cell shapes by VTK number: nodes, facets, shape functions, division into triangles; nodes as in VTK."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

Rows = list[tuple[int, ...]]
_LINE: Rows = [(0,), (1,)]
_TRIANGLE: Rows = [(0, 1), (1, 2), (2, 0)]
_QUAD: Rows = [(0, 1), (1, 2), (2, 3), (3, 0)]
_TETRA: Rows = [(0, 1, 3), (1, 2, 3), (2, 0, 3), (0, 2, 1)]
_HEXAHEDRON: Rows = [(0, 4, 7, 3), (1, 2, 6, 5), (0, 1, 5, 4), (3, 7, 6, 2), (0, 3, 2, 1), (4, 5, 6, 7)]
_FACETS: dict[str, Rows] = {
    "vertex": [], "line": _LINE, "triangle": _TRIANGLE, "quad": _QUAD, "tetra": _TETRA,
    "hexahedron": _HEXAHEDRON,
}  # fmt: skip
_CORNERS: dict[str, Rows] = {
    "vertex": [()],
    "line": [(0,), (1,)],
    "triangle": [(0, 0), (1, 0), (0, 1)],
    "quad": [(0, 0), (1, 0), (1, 1), (0, 1)],
    "tetra": [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)],
    "hexahedron": [(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))],
}
_EDGES: dict[str, Rows] = {
    "vertex": [],
    "line": [(0, 1)],
    "triangle": _TRIANGLE,
    "quad": _QUAD,
    "tetra": [(0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3)],
    "hexahedron": [*_QUAD, (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)],
}


@dataclass(frozen=True)
class Kind:
    """A cell shape: its VTK number, the linear shape below it (``base``), its number of nodes."""

    vtk: int
    base: str
    nodes: int

    @property
    def name(self) -> str:
        """Name with the number of nodes, e.g. ``triangle6``; linear shapes have none."""
        return self.base if self.nodes == len(_CORNERS[self.base]) else f"{self.base}{self.nodes}"

    @property
    def dim(self) -> int:
        """Dimension of the cell."""
        return len(_CORNERS[self.base][0])

    @cached_property
    def _groups(self) -> Rows:
        """For every node the corners whose mean it is: corners, edges, faces, centre."""
        corners = range(len(_CORNERS[self.base]))
        rows: Rows = [(c,) for c in corners] + _EDGES[self.base]
        if self.dim == 3:
            rows = rows + _FACETS[self.base]
        # quadratic shapes end after the edges, the faces or the centre
        return [*rows, tuple(corners)][: self.nodes]

    @cached_property
    def reference(self) -> np.ndarray:
        """Reference coordinates (nodes, dim) of the nodes."""
        corners = np.array(_CORNERS[self.base], dtype=float)
        return np.array([corners[list(g)].mean(axis=0) for g in self._groups])

    @cached_property
    def facets(self) -> np.ndarray:
        """Node numbers of each facet: corners in order, then mid nodes, then its centre."""
        # a mid node is found by the corners between which it lies
        number = {frozenset(g): i for i, g in enumerate(self._groups)}
        rows = []
        for f in _FACETS[self.base]:
            around = list(zip(f, f[1:] + f[:1], strict=True))
            # a facet is an end of a line, an edge of a plane cell, a face of a solid one
            edges = ([], [f], around)[self.dim - 1]
            mids = [number[frozenset(e)] for e in edges if frozenset(e) in number]
            centre = [number[frozenset(f)]] if self.dim == 3 and frozenset(f) in number else []
            rows.append([*f, *mids, *centre])
        return np.array(rows)

    @cached_property
    def _exponents(self) -> np.ndarray:
        """Exponents of the monomials that span the shape functions."""
        simplex = self.base in ("triangle", "tetra")
        degree = 1 if self.nodes == len(_CORNERS[self.base]) else 2
        powers = list(product(range(degree + 1), repeat=self.dim))
        # P_k: total degree; Q_k: degree per axis; serendipity: Q_2 without products of squares
        if simplex:
            powers = [p for p in powers if sum(p) <= degree]
        elif len(powers) > self.nodes:  # serendipity: at most one square per monomial
            powers = [p for p in powers if p.count(2) <= 1]
        return np.array(powers)

    def shape(self, xi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return shape functions (N, nodes) and derivatives (N, nodes, dim) at xi (N, dim)."""
        # N_i = sum_e c_ei x^e with N_i(x_j) = δ_ij, so c is the inverse of the Vandermonde matrix
        coefficients = np.linalg.inv(_monomials(self.reference, self._exponents))
        values = _monomials(xi, self._exponents) @ coefficients
        slopes = [_monomials(xi, self._exponents, axis) @ coefficients for axis in range(self.dim)]
        return values, np.stack(slopes, axis=-1)

    def inside(self, xi: np.ndarray, slack: float) -> np.ndarray:
        """Return which reference points (N, dim) lie in the cell, enlarged by ``slack``."""
        low = (xi >= -slack).all(axis=1)
        if self.base in ("triangle", "tetra"):
            return low & (xi.sum(axis=1) <= 1 + slack)
        return low & (xi <= 1 + slack).all(axis=1)


def _monomials(x: np.ndarray, exponents: np.ndarray, derivative: int | None = None) -> np.ndarray:
    """Return x^e or its derivative along one axis, (N, number of exponents)."""
    # d/dx x^e = e x^(e-1); where e = 0 the factor vanishes and the exponent stays 0
    factor = np.ones(len(exponents))
    if derivative is not None:
        factor = exponents[:, derivative].astype(float)
        exponents = np.maximum(exponents - np.eye(x.shape[1], dtype=int)[derivative], 0)
    return factor * (x[:, None, :] ** exponents[None]).prod(axis=2)


KINDS: dict[int, Kind] = {
    vtk: Kind(vtk, base, nodes)
    for vtk, base, nodes in [
        (1, "vertex", 1), (3, "line", 2), (21, "line", 3),
        (5, "triangle", 3), (9, "quad", 4), (10, "tetra", 4), (12, "hexahedron", 8),
        (22, "triangle", 6), (23, "quad", 8), (28, "quad", 9),
        (24, "tetra", 10), (25, "hexahedron", 20), (29, "hexahedron", 27),
    ]
}  # fmt: skip
"""VTK cell number -> shape."""


def outer_facets(kind: Kind, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the facets (F, nodes of a facet) that only one of the cells has, and that cell (F,)."""
    facets = cells[:, kind.facets].reshape(-1, kind.facets.shape[1])
    # two cells that share a facet list its corners in different orders
    corners = np.sort(facets[:, : len(_FACETS[kind.base][0])], axis=1)
    _, first, count = np.unique(corners, axis=0, return_index=True, return_counts=True)
    outer = np.sort(first[count == 1])
    return facets[outer], outer // len(kind.facets)


def facet_kind(kind: Kind) -> Kind:
    """Return the shape of the facets of a three-dimensional cell."""
    nodes, base = kind.facets.shape[1], "triangle" if kind.base == "tetra" else "quad"
    return next(k for k in KINDS.values() if k.base == base and k.nodes == nodes)


def lattice(kind: Kind, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return reference points (N, 2) that divide each edge of a plane cell in n, and their triangles (T, 3).

    With the shape functions at these points a picture follows curved edges and quadratic fields.
    """
    number: dict[tuple[int, int], int] = {}
    for i, j in product(range(n + 1), repeat=2):
        if kind.base == "quad" or i + j <= n:
            number[i, j] = len(number)
    rows = []
    for i, j in number:
        # each small square gives two triangles; those that leave the cell have a missing corner
        square = [number.get((i + a, j + b)) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
        rows += [[square[k] for k in t] for t in ((0, 1, 3), (1, 2, 3))]
    return np.array(list(number)) / n, np.array([r for r in rows if None not in r])
