"""Sides that are periodic by a rotation: their facets lie in other directions than those of their images.

Images share their unknowns. A scalar is the same on both sides of a cyclic sector; the components of a vector
turn with the side, u' = R u, so that shared components would be those of a shift.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plexus.errors import InputError
from plexus.mesh.facets import sort_rows
from plexus.mesh.mesh import Mesh
from plexus.protocols import FieldSpec

NEAR = 1e-6
"""Distance of vertices of a facet and its image that is none, relative to the facet."""


def refuse_turned(mesh: Mesh, unknowns: Sequence[FieldSpec]) -> None:
    """Refuse vectors on sides that are periodic by a rotation: images share components. Collective.

    Raises
    ------
    InputError
        If an unknown is no scalar.
    """
    vectors = [spec.name for spec in unknowns if spec.shape != "scalar"]
    if vectors and turned(mesh):
        raise InputError(
            "mesh.periodic: sides of the mesh are images of each other by a rotation, not by a shift: "
            f"{vectors[0]} would have to turn with them, which only scalars need not. Where the state is "
            "symmetric about both sides, leave `periodic` out and hold the displacement normal to each side; "
            "else mesh the whole ring"
        )


def turned(mesh: Mesh) -> bool:
    """Return whether periodic sides are images of each other by more than a shift. Collective."""
    here = mesh.dim > 1 and not np.array_equal(mesh.vertex_ids, mesh.point_ids) and _turned(mesh)
    return any(mesh.comm.allgather(here))


def _turned(mesh: Mesh) -> bool:
    """Return whether this rank sees a facet and an image of it that are no shift of each other."""
    _, inverse, count = np.unique(mesh.vertex_ids, return_inverse=True, return_counts=True)
    image = (count > 1)[inverse]
    local = mesh.vertices[:, mesh.reference.facets].reshape(-1, mesh.reference.facets.shape[1])
    local = local[image[local].all(axis=1)]
    keys = mesh.vertex_ids[local]
    # the vertices of every facet in the order of their common numbers
    local = np.take_along_axis(local, np.argsort(keys, axis=1), axis=1)
    order, new = sort_rows(np.sort(keys, axis=1))
    shape = mesh.points[local[order]]
    shape -= shape.mean(axis=1, keepdims=True)
    first = np.flatnonzero(new)[np.cumsum(new) - 1] if len(new) else np.empty(0, dtype=int)
    away = np.abs(shape - shape[first]).max(axis=(1, 2), initial=0.0)
    return bool((away > NEAR * np.abs(shape[first]).max(axis=(1, 2), initial=0.0)).any())
