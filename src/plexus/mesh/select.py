"""Regions and boundaries chosen by a condition on the coordinates."""

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


def _holds(condition: Condition, centres: np.ndarray) -> np.ndarray:
    value = condition(dict(zip("xyz", centres.T, strict=False)))
    return np.broadcast_to(np.asarray(value), len(centres)).astype(bool)
