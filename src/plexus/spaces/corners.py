"""Which share of what holds a node belongs to a boundary.

Where supports meet, a node lies on facets of several. Its reaction is shared by the areas of the prescribed
facets around it,

    w_i = A_i(B ∩ P) / A_i(P),    A_i(S): area of the facets of S that have node i,

with B the boundary and P all facets on which the component is prescribed. Disjoint boundaries that cover P
then have reactions that add up to the total; a node of one support alone counts whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plexus.devices.bridge import Bridge
from plexus.protocols.facets import Facets
from plexus.spaces.facets import facet_sets
from plexus.spaces.lagrange import Space
from plexus.spaces.names import boundary_facets, with_area
from plexus.spaces.points import PointBatch, Values
from plexus.spaces.sides import lower, same


def shares(space: Space, boundary: Facets, prescribed: Sequence[Facets]) -> np.ndarray:
    """Return the shares w (n_owned,) of own nodes: 0 off the boundary, 1 where nothing else holds."""
    mesh = space.mesh
    area = with_area(mesh, boundary)
    # curves and points have no area, and hold only where no facet does
    own = mesh.outside[:0] if area is None else lower(mesh, boundary_facets(mesh, area))
    others = [lower(mesh, boundary_facets(mesh, where)) for where in prescribed]
    held = np.unique(np.concatenate([own[:0], *others]), axis=0)
    total, part = _areas(space, held), _areas(space, held[same(held, own)])
    on = np.zeros(space.n_local)
    on[space.facet_nodes(boundary)] = 1.0
    share = np.divide(part, total, out=on, where=(total > 0) & (on > 0))
    return share[: space.n_owned]


def _areas(space: Space, pairs: np.ndarray) -> np.ndarray:
    """Return the area of the facets around each node, (n_local,); complete at own nodes."""
    mesh, areas = space.mesh, np.zeros(space.n_local)
    for facets in facet_sets(mesh, pairs, 2, Bridge(), np.ones(mesh.n_cells, dtype=bool)):
        cells = facets.cells
        p = PointBatch(cells, slice(0, len(cells)), facets.rule, 0.0, Values({}))
        nodes = space.cell_nodes[cells.index][:, space.element.facet_nodes[facets.facet]]
        np.add.at(areas, nodes, p.jxw.sum(axis=1)[:, None])
    return areas
