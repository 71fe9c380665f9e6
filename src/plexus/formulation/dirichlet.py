"""Prescribed values of a field on named boundaries, whole or component by component."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plexus.deck.params import Expression
from plexus.errors import InputError, at_path
from plexus.fields.arrays import like
from plexus.protocols import Array
from plexus.protocols.facets import Facets
from plexus.spaces.limits import Limits

if TYPE_CHECKING:
    from plexus.formulation.inclined import AlongNormal, Inclined
    from plexus.spaces.controls import Controls
    from plexus.spaces.corners import Supports
    from plexus.spaces.lagrange import Space


@dataclass(frozen=True)
class Prescribed:
    """Values on facets, curves, points or at a position: an expression of x, y, z, t per component.

    None leaves a component free; ``path`` is the condition's place in the deck.
    """

    where: Facets
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
    conditions : sequence of Prescribed
        What was given.
    """

    def __init__(
        self,
        space: Space,
        conditions: Sequence[Prescribed],
        normal: Sequence[AlongNormal] = (),
        controls: Controls | None = None,
    ):
        self.fixed = np.zeros((space.n_local, space.components), dtype=bool)
        self._values: list[tuple[np.ndarray, int, Expression]] = []
        self._points, self._limits = space.points, Limits(space)
        self._mesh, self._controls = space.mesh, controls
        self.conditions = conditions
        for condition in conditions:
            # ghosts included and equal on all ranks, as rows and columns are dropped without communication
            nodes = _nodes(space, condition)
            for component, value in enumerate(condition.values):
                if value is not None:  # None leaves the component free
                    _check_axes(value, space.points.shape[1])
                    self.fixed[nodes, component] = True
                    self._values.append((nodes, component, value))
        self.inclined: Inclined | None = None
        if normal:
            from plexus.formulation.inclined import Inclined

            self.inclined = Inclined(space, normal, self.fixed)

    def held(self, component: int | None = None) -> list[Facets]:
        """Return the facets on which a component, or any, is prescribed, in the order of the deck.

        Those on which n·u is prescribed hold any component, and are none of those of a single one.
        """
        given = [c.where for c in self.conditions if component is None or c.values[component] is not None]
        return [*self._with_area(given), *(self.along() if component is None else ())]

    def supports(self) -> Supports:
        """Return what holds the nodes of boundaries, and along which directions."""
        from plexus.spaces.corners import Supports

        m = self.fixed.shape[1]
        return Supports([self.held(component) for component in range(m)], self.along(), self.span)

    def span(self, nodes: np.ndarray) -> np.ndarray:
        """Return the projectors (k, m, m) onto the directions of nodes that are clearly prescribed."""
        span = self.fixed[nodes][:, :, None] * np.eye(self.fixed.shape[1])
        if self.inclined is not None:
            _, at, found = np.intersect1d(nodes, self.inclined.nodes, return_indices=True)
            span[at] = self.inclined.spans[found]
        return span

    def along(self) -> list[Facets]:
        """Return the facets on which n·u is prescribed, in the order of the deck."""
        return self._with_area([] if self.inclined is None else self.inclined.places)

    def _with_area(self, places: Sequence[Facets]) -> list[Facets]:
        from plexus.spaces.names import with_area

        areas = (with_area(self._mesh, where) for where in places)
        return [where for where in areas if where is not None]

    def apply(self, t: float, array: Array, controls: Mapping[str, Array] | None = None) -> None:
        """Write the values at time ``t`` [s] into a field array (n_local, m), ghosts included.

        On tensors they may depend on ``controls``, which stand for the stored values of these.
        """

        def beside(value: Expression, nodes: np.ndarray) -> dict[str, Array]:
            return self._beside(value, nodes, t, controls)

        def known(value: Expression, nodes: np.ndarray) -> dict[str, Array]:
            x = self._points[nodes]
            axes = {a: like(x[:, i], array) for i, a in enumerate("xyz"[: x.shape[1]])}
            return {**axes, **beside(value, nodes)}

        # in the order of the deck: where boundaries meet, the later entry overwrites
        for nodes, component, value in self._values:
            array[nodes, component] = self._limits.value(value, nodes, beside(value, nodes), array)
        if self.inclined is not None:
            self.inclined.apply(t, array, known)

    def _beside(
        self, value: Expression, nodes: np.ndarray, t: float, controls: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Return what an expression reads beside places."""
        known = self._controls
        return {"t": t} | ({} if known is None else known.at_nodes(value.names, nodes, t, controls))

    def few(self, nodes: np.ndarray) -> Callable[[float], np.ndarray]:
        """Return what gives the values at some local nodes at a time, (k, m), zero where they are free.

        Values along normals are left out.
        """
        rows = [(np.flatnonzero(np.isin(nodes, of)), c, value) for of, c, value in self._values]

        def at(t: float) -> np.ndarray:
            found = np.zeros((len(nodes), self.fixed.shape[1]))
            for here, component, value in rows:
                if len(here):
                    beside = self._beside(value, nodes[here], t)
                    found[here, component] = self._limits.value(value, nodes[here], beside, found)
            return found

        return at


def _nodes(space: Space, condition: Prescribed) -> np.ndarray:
    """Return the local nodes on which a condition holds. Collective."""
    if condition.at is None:
        return space.facet_nodes(condition.where)
    from plexus.spaces.totals import nodes_at

    with at_path(f"{condition.path}.at"):
        return nodes_at(space, condition.at)


def _check_axes(value: Expression, dim: int) -> None:
    """Refuse an axis that the mesh does not have."""
    for axis in "xyz"[dim:]:
        if axis in value.names:
            raise InputError(f"boundary: {axis} in {value.text!r}: a {dim}-D mesh has no such axis")
