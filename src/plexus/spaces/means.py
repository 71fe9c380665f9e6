"""Means over cells of what nodes know: linear in the nodal values, with factors that a mesh has once.

    1/|K| ∫_K ∂u/∂x_j dx = Σ_i u_i g_ij,    g_ij = 1/|K| ∫_K ∂φ_i/∂x_j dx

by the points at which forms integrate unless an equation takes fewer. A mean then costs the nodes of a cell,
however many points that rule has. Meshes do not move, so that the factors of a numbering stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from plexus.spaces.rule import cell_rule
from plexus_kernels import backend

if TYPE_CHECKING:
    from plexus.spaces.lagrange import Space
    from plexus.spaces.numbering import Nodes

Array = np.ndarray
PIECE = 1024
"""Cells whose points are looked at together."""
_KNOWN: WeakKeyDictionary[Nodes, Array] = WeakKeyDictionary()


def mean_gradients(space: Space) -> Array:
    """Return g of all local cells, (C, n, d) [1/m]; spaces of the same nodes share it.

    Parameters
    ----------
    space : Space
        The nodes, with any number of components.
    """
    if space.nodes not in _KNOWN:
        _KNOWN[space.nodes] = _made(space)
    return _KNOWN[space.nodes]


def _made(space: Space) -> Array:
    mesh, rule = space.mesh, cell_rule(space.mesh, 2 * space.degree)
    dphi, tables = rule.tables(space.element).dphi, rule.tables(rule.geometry)
    count, n, d = dphi.shape
    # rows i of ∂φ_i/∂ξ_k at all points, columns (q, k)
    slopes, found = dphi.transpose(1, 0, 2).reshape(n, count * d), np.empty((mesh.n_cells, n, d))
    for first in range(0, mesh.n_cells, PIECE):
        part = slice(first, first + PIECE)
        _, weight, grad_map = backend().geometry(mesh.points, mesh.cells[part], tables)
        share = weight / weight.sum(1, keepdims=True)
        found[part] = slopes @ (share[:, :, None, None] * grad_map).reshape(-1, count * d, d)
    return found
