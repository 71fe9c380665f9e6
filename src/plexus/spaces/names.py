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
    if name not in mesh.boundaries and name in mesh.skeleton:
        raise InputError(f"{name!r} is a curve or a point of the mesh, no boundary: it has no area")
    if name not in mesh.boundaries and name in mesh.regions:
        known = ", ".join(sorted({*mesh.boundaries, *mesh.skeleton}))
        raise InputError(f"{name!r} is a region, no boundary; boundaries are {known}")
    return _pick(mesh.boundaries, "boundary", name)


def skeleton_entities(mesh: Mesh, name: str) -> np.ndarray | None:
    """Return the pairs (local cell, entity) of a curve or point, (k, 2), ghosts included; None if it is none.

    A boundary of the same name goes first.
    """
    return None if name in mesh.boundaries else mesh.skeleton.get(name)


def _pick(parts: dict[str, np.ndarray], kind: str, name: str) -> np.ndarray:
    if name not in parts:
        known = ", ".join(sorted(parts)) or "none"
        raise InputError(f"the mesh has no {kind} {name!r}; it has {known}")
    return parts[name]
