"""Prescribed values of a field on named boundaries, whole or component by component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plexus.deck.params import Expression
from plexus.errors import at_path
from plexus.formulation.inclined import AlongNormal, Inclined

if TYPE_CHECKING:
    from plexus.spaces.lagrange import Space


@dataclass(frozen=True)
class Prescribed:
    """Values on boundaries, curves, points or at a position: an expression of x, y, z, t per component.

    None leaves a component free; ``path`` is the condition's place in the deck.
    """

    boundaries: tuple[str, ...]
    values: tuple[Expression | None, ...]
    at: tuple[float, ...] | None = None
    path: str = "boundary"


class Dirichlet:
    """All prescribed values of one field. Construction is collective.

    Where conditions meet in a node, the later one holds.

    Attributes
    ----------
    fixed : ndarray of bool (n_local, m)
        Which unknowns are prescribed, ghosts included.
    inclined : Inclined, optional
        What is prescribed along normals.
    boundaries : tuple of str
        Where at least one component, or the one along the normal, is prescribed.
    """

    def __init__(self, space: Space, conditions: Sequence[Prescribed], normal: Sequence[AlongNormal] = ()):
        self.fixed = np.zeros((space.n_local, space.components), dtype=bool)
        self._values: list[tuple[np.ndarray, int, Expression]] = []
        self._points = space.points
        self.boundaries = tuple(name for condition in conditions for name in condition.boundaries)
        for condition in conditions:
            # ghosts included and equal on all ranks, as rows and columns are dropped without communication
            nodes = _nodes(space, condition)
            for component, value in enumerate(condition.values):
                if value is not None:  # None leaves the component free
                    self.fixed[nodes, component] = True
                    self._values.append((nodes, component, value))
        self.inclined = Inclined(space, normal, self.fixed) if normal else None
        if self.inclined is not None:
            self.boundaries += self.inclined.boundaries

    def apply(self, t: float, array: np.ndarray) -> None:
        """Write the values at time ``t`` [s] into a field array (n_local, m), ghosts included."""
        # in the order of the deck: where boundaries meet, the later entry overwrites
        for nodes, component, value in self._values:
            x = self._points[nodes]
            # as in properties, axes that the mesh does not have are zero
            names = {a: x[:, i] if i < x.shape[1] else 0.0 for i, a in enumerate("xyz")}
            array[nodes, component] = value.sure({**names, "t": t})
        if self.inclined is not None:
            self.inclined.apply(t, array)


def _nodes(space: Space, condition: Prescribed) -> np.ndarray:
    """Return the local nodes on which a condition holds. Collective."""
    if condition.at is None:
        return space.facet_nodes(condition.boundaries)
    from plexus.spaces.totals import nodes_at

    with at_path(f"{condition.path}.at"):
        return nodes_at(space, condition.at)
