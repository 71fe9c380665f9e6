"""Which part of what holds a node is borne by a boundary.

Where supports meet, a node lies on facets of several. Each facet f holds the node along the directions d that
are prescribed on it: e_c of a component, its normal n where n·u is. The supports of a node bear the force

    R = Σ_f A_f d_f p_f

of its residual, A_f the area of the facet. Of all p that do, the one with the least Σ_f A_f p_f² is taken:
p_f = d_fᵀ G⁺ R, so that the boundary B bears

    R_B = G_B G⁺ R,    G_S = Σ_{f in S} A_f d_f d_fᵀ,    G = G_P

with P all facets that hold anything. Where the directions are independent, as those of the inclined planes of
a corner, this is the only splitting of R along them, whatever the areas; supports of one direction share it
by their areas. Disjoint boundaries that cover P then bear forces that add up to R.

The directions are taken within the span H of those that the node clearly has (`plexus.formulation.inclined`):
normals on a curved surface are close to that of the node, and planes that differ by less than 10 degrees
would bear a small force across them by large ones against each other. What of R is outside H is shared by
area. What only a curve or a point holds counts whole for every boundary that has the node.

Between two planes without friction, at an angle φ and with the body over ω = π ∓ φ, u has parts
r^λ, λ = kπ/ω ± 1 (from sin((λ ± 1)ω) = 0 for stress functions r^(λ+1) cos((λ ± 1)θ)), least λ = φ/(π ∓ φ):
for small φ the kink holds the body nearly as a pin does. The splitting at the node is exact, but a force b
along the planes is borne by b/(2 sin(φ/2)) on each, and b, as all of the solution there, converges as h^2λ
only: h at 60 degrees, h^0.4 at 30, h^0.12 at 10. Their sum does not suffer.
Sources: A. Ben-Israel, T. N. E. Greville, Generalized Inverses, 2nd ed., Springer 2003, section 3.3,
doi:10.1007/b97366 (splitting); M. L. Williams, J. Appl. Mech. 19 (1952) 526-528, doi:10.1115/1.4010553
(singular parts).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from plexus.devices.bridge import Bridge
from plexus.mesh.mesh import Mesh
from plexus.protocols.facets import Facets
from plexus.spaces.facets import facet_sets
from plexus.spaces.lagrange import Space
from plexus.spaces.names import boundary_facets, with_area
from plexus.spaces.normals import nodal_normals
from plexus.spaces.sides import lower, same

NONE = 1e-12
"""Share of the largest eigenvalue of G below which a direction is none of the facets'."""


@dataclass(frozen=True, eq=False)
class Supports:
    """What holds a field of m components.

    Attributes
    ----------
    held : for each component, the facets on which it is prescribed.
    along : facets on which n·u is prescribed.
    span : function of nodes (k,) that returns the projectors H (k, m, m).
    """

    held: Sequence[Sequence[Facets]]
    along: Sequence[Facets]
    span: Callable[[np.ndarray], np.ndarray]


def shares(space: Space, boundary: Facets, supports: Supports) -> tuple[np.ndarray, np.ndarray]:
    """Return the own nodes of a boundary (k,) and W (k, m, m) with R_B = W R at each. Collective."""
    mesh, on = space.mesh, space.facet_nodes(boundary)
    nodes = on[on < space.n_owned]
    area = with_area(mesh, boundary)
    # curves and points have no area, and hold only where no facet does
    own = _union(mesh, [] if area is None else [area])
    held, along = [_union(mesh, places) for places in supports.held], _union(mesh, supports.along)
    every = np.unique(np.concatenate([*held, along]), axis=0)
    span, m = supports.span(nodes), space.components
    part, total = np.zeros((2, len(nodes), m, m))
    number = np.full(space.n_local, -1)
    number[nodes] = np.arange(len(nodes))
    for facets in facet_sets(mesh, every, 2, Bridge(), np.ones(mesh.n_cells, dtype=bool)):
        pairs = every[every[:, 1] == facets.facet]
        at, n, size = nodal_normals(space, facets)
        here = number[at] >= 0
        fixed = np.stack([same(pairs, places) for places in held], axis=1)
        k, f = number[at[here]], np.nonzero(here)[0]
        gram = size[f, None, None] * _directions(fixed[f], n[here], same(pairs, along)[f], span[k])
        np.add.at(total, k, gram)
        mine = same(pairs, own)[f]
        np.add.at(part, k[mine], gram[mine])
    return nodes, _split(part, total, span)


def _directions(fixed: np.ndarray, n: np.ndarray, slanted: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Return Σ d dᵀ of facets that hold components, or n·u, or both, at nodes, (k, m, m)."""
    axes = fixed[:, :, None] * np.eye(fixed.shape[1])
    if not slanted.any():
        return axes
    # a component that the same facet holds already counts once
    d = np.where(fixed | ~slanted[:, None], 0.0, np.einsum("kij,kj->ki", span, n))
    return axes + d[:, :, None] * d[:, None, :]


def _split(part: np.ndarray, total: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Return W of a boundary from its own G_B, that of all supports, and H; all (k, m, m)."""
    inverse = np.linalg.pinv(total, rcond=NONE, hermitian=True)
    own, all_ = (np.trace(g, axis1=1, axis2=2) for g in (part, total))
    by_area = np.divide(own, all_, out=np.ones_like(own), where=all_ > 0)
    near = np.eye(span.shape[1]) - span
    return part @ inverse + by_area[:, None, None] * near + (span - total @ inverse)


def _union(mesh: Mesh, places: Sequence[Facets]) -> np.ndarray:
    """Return the facets of all places once, as sides of the cells of lower number."""
    found = [lower(mesh, boundary_facets(mesh, where)) for where in places]
    return np.unique(np.concatenate([mesh.outside[:0], *found]), axis=0)
