"""Regions, boundaries, curves and points chosen by a condition on the coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plexus.mesh.mesh import Mesh

Condition = Callable[[Mapping[str, Any]], Any]
"""Function of {"x": (k,), "y": ..., "z": ...} that is true (not zero) where the condition holds."""


def cells_where(mesh: Mesh, condition: Condition) -> np.ndarray:
    """Return the local cells, ghosts included, whose vertices' mean fulfils the condition, (k,) int32."""
    return np.flatnonzero(_holds(condition, mesh.points[mesh.vertices].mean(axis=1))).astype(np.int32)


def facets_where(mesh: Mesh, condition: Condition) -> np.ndarray:
    """Return the exterior facets whose vertices' mean fulfils the condition, pairs (cell, facet), int32."""
    cells, facets = mesh.outside.T
    vertices = np.take_along_axis(mesh.cells[cells], mesh.reference.facets[facets], axis=1)
    return mesh.outside[_holds(condition, mesh.points[vertices].mean(axis=1))]


def edges_where(mesh: Mesh, condition: Condition) -> np.ndarray:
    """Return the edges both ends of which fulfil the condition, pairs (cell, entity), int32."""
    cell = mesh.reference
    cells, edges = np.nonzero(_vertices_hold(mesh, condition)[:, cell.edges].all(axis=2))
    return np.stack([cells, cell.n_vertices + edges], axis=1).astype(np.int32)


def vertices_where(mesh: Mesh, condition: Condition) -> np.ndarray:
    """Return the vertices that fulfil the condition, pairs (cell, entity), int32."""
    return np.argwhere(_vertices_hold(mesh, condition)).astype(np.int32)


def _vertices_hold(mesh: Mesh, condition: Condition) -> np.ndarray:
    """Return which vertices of the local cells fulfil the condition, (C, v) bool."""
    return _holds(condition, mesh.points)[mesh.vertices]


def _holds(condition: Condition, centres: np.ndarray) -> np.ndarray:
    value = condition(dict(zip("xyz", centres.T, strict=False)))
    return np.broadcast_to(np.asarray(value), len(centres)).astype(bool)
