"""Curves of a solid and points of a mesh: vertices and edges of cells that have a name.

An entity of a cell is one of its vertices or edges: vertex i is entity i, edge e is entity v + e behind the v
vertices. That is also the number of the second-order node that lies there. A named entity is a pair (cell,
entity) of any one cell that has it; the others at the same place need not be listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.facets import find_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexus.mesh.cells import Cell


def entities(cell: Cell) -> list[tuple[int, ...]]:
    """Return the local vertices of each entity: one of a vertex, two of an edge."""
    return [(i,) for i in range(cell.n_vertices)] + [tuple(edge) for edge in cell.edges.tolist()]


def find_entities(cell: Cell, vertices: np.ndarray, wanted: Iterable[np.ndarray]) -> np.ndarray | None:
    """Return the entities given by their vertices as ascending pairs (cell, entity), (k, 2).

    ``vertices`` (c, v) are those of all cells, ``wanted`` arrays (k, 1) of points or (k, 2) of edges. None
    where one of them is not an entity of any cell.
    """
    found = []
    for rows in wanted:
        edges = rows.shape[1] == 2
        parts = cell.edges if edges else np.arange(cell.n_vertices)[:, None]
        pairs = find_parts(parts, vertices, rows)
        if (pairs[:, 0] < 0).any():
            return None
        found.append(pairs + np.array([0, cell.n_vertices if edges else 0]))
    return np.unique(np.concatenate(found), axis=0)
