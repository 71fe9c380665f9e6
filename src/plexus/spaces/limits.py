"""Values of expressions at nodes; at a cut of the mesh the limit from inside the cells of each node.

Both nodes at a place of a cut have its coordinates, and an expression may jump there. With d from the node
towards the middle of one of its cells, f(x) = 3 f(x + d) - 3 f(x + 2d) + f(x + 3d), exact for parabolas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.params import Expression
from plexus.fields.arrays import like
from plexus.protocols import Array
from plexus.spaces.sides import both

if TYPE_CHECKING:
    from plexus.spaces.lagrange import Space

STEP = 1e-4
"""Length of d, as a share of the way to the middle of the cell."""
WEIGHTS = (3.0, -3.0, 1.0)


class Limits:
    """Evaluates expressions at the nodes of a space. Construction is collective."""

    def __init__(self, space: Space):
        inward = _inward(space)
        self._places = [(1.0, space.points)]
        if inward is not None:
            self._places = [(w, space.points + i * inward) for i, w in enumerate(WEIGHTS, 1)]

    def value(self, expression: Expression, nodes: np.ndarray, names: Mapping[str, Any], array: Array) -> Any:
        """Return the values at local nodes (k,), or one for all; ``names`` are known beside the coordinates.

        They are of the kind of ``array``.
        """
        found: Any = 0.0
        for weight, points in self._places:
            axes = {a: like(x, array) for a, x in zip("xyz", points[nodes].T, strict=False)}
            found = found + weight * like(expression.sure({**axes, **names}), array)
        return found


def _inward(space: Space) -> np.ndarray | None:
    """Return d at all local nodes, zero away from cuts and at their ends; None without cuts. Collective."""
    mesh = space.mesh
    if mesh.cut is None:
        return None
    sides = both(mesh, mesh.cut)
    on = space.cell_nodes[sides[..., :1], space.element.facet_nodes[sides[..., 1]]]
    found, middle = np.zeros_like(space.points), mesh.points[mesh.cells].mean(axis=1)
    torn = np.zeros(space.n_local, dtype=bool)
    torn[on] = True
    torn[on[:, 0][(on[:, 0, :, None] == on[:, 1, None, :]).any(axis=2)]] = False
    # the last write wins: the cell of the lowest number
    cells = np.argsort(-mesh.cell_ids, kind="stable")
    found[space.cell_nodes[cells]] = middle[cells][:, None, :]
    found[~torn] = 0.0
    found[torn] = STEP * (found[torn] - space.points[torn])
    # the owner has all cells around a node, and both sides of all cuts there
    space.halo.forward(found)
    return found
