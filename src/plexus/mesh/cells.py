"""Reference data of the five cell types: vertices, edges, facets, node orders, VTK and Gmsh numbers.

Reference cells: the simplices span the origin and the unit vectors, so that the line is [0, 1]; the
quadrilateral and the hexahedron are [0, 1]^d. Nodes follow VTK's order everywhere: vertices, then
(degree 2) one node per edge, one per quadrilateral facet in 3-D, one in the centre of a quadrilateral or
hexahedron. The facets of a cell are its vertices in 1-D, its edges in 2-D and its faces in 3-D, listed so
that their normal points outward by the right-hand rule (3-D) or lies to the right of the direction of
travel (2-D).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

Ints = np.ndarray
Floats = np.ndarray


@dataclass(frozen=True, eq=False)
class Cell:
    """One reference cell; ``d`` is its dimension, ``v`` its number of vertices.

    ``edges`` (e, 2) and ``faces`` (f, 3|4) hold local vertex numbers; ``vtk`` and ``gmsh`` map the
    geometry degree to the type number of the other program; ``gmsh_order[degree]`` lists, for each
    node in VTK order, its position in Gmsh's order; ``volume`` is that of the reference cell.
    """

    name: str
    facet_name: str
    vertices: Floats
    edges: Ints
    faces: Ints
    vtk: dict[int, int]
    gmsh: dict[int, int]
    gmsh_order: dict[int, Ints]
    simplex: bool
    volume: float

    @property
    def dim(self) -> int:
        """Dimension d of the cell."""
        return self.vertices.shape[1]

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.vertices)

    @property
    def facets(self) -> Ints:
        """Local vertices of each facet, (f, 1|2|3|4)."""
        if self.dim == 1:
            return np.arange(self.n_vertices)[:, None]
        return self.edges if self.dim == 2 else self.faces

    def n_nodes(self, degree: int) -> int:
        """Return the number of Lagrange nodes of the given degree (1 or 2)."""
        return len(self.nodes(degree))

    def nodes(self, degree: int) -> Floats:
        """Return the reference coordinates of the Lagrange nodes in VTK order, (n, d)."""
        return self.vertices if degree == 1 else self._nodes2

    @cached_property
    def _nodes2(self) -> Floats:
        return np.array([self.vertices[list(group)].mean(axis=0) for group in self.node_groups])

    @cached_property
    def node_groups(self) -> tuple[tuple[int, ...], ...]:
        """Vertices whose average each degree-2 node is: vertices, edges, quadrilateral faces, centre."""
        groups = [(i,) for i in range(self.n_vertices)] + [tuple(e) for e in self.edges.tolist()]
        if not self.simplex:
            groups += [tuple(f) for f in self.faces.tolist()] if self.dim == 3 else []
            groups += [tuple(range(self.n_vertices))]
        return tuple(groups)

    def facet_nodes(self, degree: int) -> Ints:
        """Return the local nodes of each facet in the VTK order of the facet's own type, (f, k)."""
        if degree == 1:
            return self.facets
        place = {frozenset(group): i for i, group in enumerate(self.node_groups)}
        groups = [list(g) for g in reference(self.facet_name).node_groups]
        return np.array([[place[frozenset(f[g].tolist())] for g in groups] for f in self.facets])

    @cached_property
    def vertex_frames(self) -> tuple[Ints, Ints]:
        """Vertices (k,) and, for each, its d neighbours along edges in right-handed order (k, d).

        One vertex is enough for simplices, whose Jacobian is constant.
        """
        at = np.arange(1 if self.simplex else self.n_vertices)
        frames = []
        for v in at:
            near = [int(e.sum() - v) for e in self.edges if v in e]
            right = np.linalg.det(self.vertices[near] - self.vertices[v]) > 0
            frames.append(near if right else [near[1], near[0], *near[2:]])
        return at, np.array(frames)

    def reversal(self, degree: int) -> Ints:
        """Return the node permutation that turns the cell's orientation around, (n,)."""
        order = _MIRRORED[self.name]
        if degree == 1:
            return np.array(order)
        place = {frozenset(group): i for i, group in enumerate(self.node_groups)}
        return np.array([place[frozenset(order[i] for i in group)] for group in self.node_groups])


def _grid(*rows: tuple[int, ...]) -> Floats:
    return np.array(rows, dtype=float)


_MIRRORED = {
    "line": [1, 0],
    "triangle": [0, 2, 1],
    "quadrilateral": [0, 3, 2, 1],
    "tetrahedron": [0, 2, 1, 3],
    "hexahedron": [0, 3, 2, 1, 4, 7, 6, 5],
}
_POINT = Cell(
    "point", "", np.empty((1, 0)), edges=np.empty((0, 2), int), faces=np.empty((0, 0), int),
    vtk={1: 1, 2: 1}, gmsh={1: 15}, gmsh_order={1: np.arange(1)}, simplex=True, volume=1.0,
)  # fmt: skip
_LINE = Cell(
    "line", "point", _grid((0,), (1,)),
    edges=np.array([(0, 1)]), faces=np.empty((0, 2), int),
    vtk={1: 3, 2: 21}, gmsh={1: 1, 2: 8}, gmsh_order={1: np.arange(2), 2: np.arange(3)},
    simplex=True, volume=1.0,
)  # fmt: skip
_TRIANGLE = Cell(
    "triangle", "line", _grid((0, 0), (1, 0), (0, 1)),
    edges=np.array([(0, 1), (1, 2), (2, 0)]), faces=np.array([(0, 1, 2)]),
    vtk={1: 5, 2: 22}, gmsh={1: 2, 2: 9}, gmsh_order={1: np.arange(3), 2: np.arange(6)},
    simplex=True, volume=1 / 2,
)  # fmt: skip
_QUADRILATERAL = Cell(
    "quadrilateral", "line", _grid((0, 0), (1, 0), (1, 1), (0, 1)),
    edges=np.array([(0, 1), (1, 2), (2, 3), (3, 0)]), faces=np.array([(0, 1, 2, 3)]),
    vtk={1: 9, 2: 28}, gmsh={1: 3, 2: 10}, gmsh_order={1: np.arange(4), 2: np.arange(9)},
    simplex=False, volume=1.0,
)  # fmt: skip
_TETRAHEDRON = Cell(
    "tetrahedron", "triangle", _grid((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    edges=np.array([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]),
    faces=np.array([(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)]),
    vtk={1: 10, 2: 24}, gmsh={1: 4, 2: 11},
    gmsh_order={1: np.arange(4), 2: np.array([0, 1, 2, 3, 4, 5, 6, 7, 9, 8])},
    simplex=True, volume=1 / 6,
)  # fmt: skip
# Gmsh lists a hexahedron's edge nodes from each vertex to its higher neighbours and its face nodes
# as bottom, front, left, right, back, top; VTK goes around the edges and takes the faces axis by axis.
_HEX_EDGES, _HEX_FACES = [8, 11, 13, 9, 16, 18, 19, 17, 10, 12, 14, 15], [22, 23, 21, 24, 20, 25]
_HEXAHEDRON = Cell(
    "hexahedron", "quadrilateral",
    _grid((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
    edges=np.array([(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4),
                    (0, 4), (1, 5), (2, 6), (3, 7)]),
    faces=np.array([(0, 4, 7, 3), (1, 2, 6, 5), (0, 1, 5, 4), (3, 7, 6, 2), (0, 3, 2, 1), (4, 5, 6, 7)]),
    vtk={1: 12, 2: 29}, gmsh={1: 5, 2: 12},
    gmsh_order={1: np.arange(8), 2: np.array([*range(8), *_HEX_EDGES, *_HEX_FACES, 26])},
    simplex=False, volume=1.0,
)  # fmt: skip

CELLS: dict[str, Cell] = {c.name: c for c in (_LINE, _TRIANGLE, _QUADRILATERAL, _TETRAHEDRON, _HEXAHEDRON)}
"""The cell types a mesh may consist of."""


def reference(name: str) -> Cell:
    """Return the reference data of one of `CELLS`, or of ``point``, the facet of a line."""
    return _POINT if name == "point" else CELLS[name]


@lru_cache
def gmsh_types() -> dict[int, tuple[Cell, int]]:
    """Return Gmsh element type number -> (cell, geometry degree) for all supported types."""
    return {number: (c, degree) for c in (_POINT, *CELLS.values()) for degree, number in c.gmsh.items()}
