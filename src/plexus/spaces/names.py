"""Named parts of a mesh, looked up with a message that helps."""

from __future__ import annotations

import numpy as np

from plexus.errors import InputError
from plexus.mesh.mesh import Mesh
from plexus.protocols.facets import Facets
from plexus.spaces.sides import seen_from


def region_cells(mesh: Mesh, name: str) -> np.ndarray:
    """Return the local cells of a named region, ghosts included.

    Raises
    ------
    InputError
        If the mesh has no region of that name.
    """
    return _pick(mesh.regions, "region", name)


def boundary_facets(mesh: Mesh, where: str | Facets) -> np.ndarray:
    """Return the pairs (local cell, local facet) of facets, each facet once, (k, 2), ghosts included.

    Facets inside the body come with the cell of the lower number, or with that of the region of ``where``.

    Raises
    ------
    InputError
        If the mesh has no boundary or region of that name.
    """
    where = Facets.of(where)
    parts = [_pick(mesh.boundaries, "boundary", name) for name in where]
    pairs = parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts), axis=0)
    return pairs if where.side is None else seen_from(mesh, pairs, region_cells(mesh, where.side))


def _pick(parts: dict[str, np.ndarray], kind: str, name: str) -> np.ndarray:
    if name not in parts:
        known = ", ".join(sorted(parts)) or "none"
        raise InputError(f"the mesh has no {kind} {name!r}; it has {known}")
    return parts[name]
