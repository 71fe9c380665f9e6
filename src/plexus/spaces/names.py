"""Named parts of a mesh, looked up with a message that helps."""

from __future__ import annotations

import numpy as np

from plexus.errors import InputError
from plexus.mesh.mesh import Mesh


def region_cells(mesh: Mesh, name: str) -> np.ndarray:
    """Return the local cells of a named region, ghosts included.

    Raises
    ------
    InputError
        If the mesh has no region of that name.
    """
    return _pick(mesh.regions, "region", name)


def boundary_facets(mesh: Mesh, name: str) -> np.ndarray:
    """Return the pairs (local cell, local facet) of a named boundary, (k, 2), ghosts included.

    Raises
    ------
    InputError
        If the mesh has no boundary of that name.
    """
    return _pick(mesh.boundaries, "boundary", name)


def _pick(parts: dict[str, np.ndarray], kind: str, name: str) -> np.ndarray:
    if name not in parts:
        known = ", ".join(sorted(parts)) or "none"
        raise InputError(f"the mesh has no {kind} {name!r}; it has {known}")
    return parts[name]
