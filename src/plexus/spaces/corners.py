"""Which share of what holds a node belongs to a boundary.

Where supports meet, a node lies on facets of several. Its reaction is shared by the areas of the prescribed
facets around it,

    w_i = A_i(B ∩ P) / A_i(P),    A_i(S): area of the facets of S that have node i,

with B the boundary and P all facets on which the component is prescribed. Facets on which n·u is prescribed
count for component c with n_c² of their area: a plane along an axis has no part in the force along it, and
where planes at other angles meet, their slopes share it, with an error of the order of the cells' size.
Disjoint boundaries that cover P then have reactions that add up to the total; a node of one support alone
counts whole.
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


def shares(
    space: Space,
    boundary: Facets,
    prescribed: Sequence[Facets],
    along: Sequence[Facets] = (),
    component: int = 0,
) -> np.ndarray:
    """Return the shares w (n_owned,) of own nodes: 0 off the boundary, 1 where nothing else holds.

    ``prescribed`` hold the component, ``along`` the normal of the boundary.
    """
    mesh = space.mesh
    area = with_area(mesh, boundary)
    # curves and points have no area, and hold only where no facet does
    own = mesh.outside[:0] if area is None else lower(mesh, boundary_facets(mesh, area))

    def union(places: Sequence[Facets]) -> np.ndarray:
        found = [lower(mesh, boundary_facets(mesh, where)) for where in places]
        return np.unique(np.concatenate([own[:0], *found]), axis=0)

    held, slanted = union(prescribed), union(along)
    slanted = slanted[~same(slanted, held)]
    total = _areas(space, held) + _areas(space, slanted, component)
    part = _areas(space, held[same(held, own)]) + _areas(space, slanted[same(slanted, own)], component)
    on = np.zeros(space.n_local)
    on[space.facet_nodes(boundary)] = 1.0
    share = np.divide(part, total, out=on, where=(total > 0) & (on > 0))
    return share[: space.n_owned]


def _areas(space: Space, pairs: np.ndarray, component: int | None = None) -> np.ndarray:
    """Return the area of the facets around each node, or ∫ n_c², (n_local,); complete at own nodes."""
    mesh, areas = space.mesh, np.zeros(space.n_local)
    for facets in facet_sets(mesh, pairs, 2, Bridge(), np.ones(mesh.n_cells, dtype=bool)):
        cells = facets.cells
        p = PointBatch(cells, slice(0, len(cells)), facets.rule, 0.0, Values({}))
        nodes = space.cell_nodes[cells.index][:, space.element.facet_nodes[facets.facet]]
        density = p.jxw if component is None else p.jxw * p.normal[..., component] ** 2
        np.add.at(areas, nodes, density.sum(axis=1)[:, None])
    return areas
