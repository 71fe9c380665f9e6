"""Coefficients whose expressions of the place alone leave their bounds; the run looks at the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from plexus.deck.params import Property, Within
from plexus.deck.walk import properties
from plexus.errors import InputError
from plexus.spaces.names import boundary_facets, region_cells, with_area

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh


def check(deck: Deck, mesh: Mesh) -> None:
    """Refuse values out of bounds in the middles of the cells or facets where they hold. Not collective.

    Raises
    ------
    InputError
        At the deck path of the first.
    """
    for path, prop, x in _places(deck, mesh):
        if prop.within is None:
            continue
        for name, part in prop.regions.items() or (("", prop),):
            inside = x if not name else x[np.isin(x[:, 0], region_cells(mesh, name))]
            text = _told(part, prop.within, inside[:, 1:])
            if text is not None:
                raise InputError(f"{path}: {text}")


def _told(prop: Property, within: Within, x: np.ndarray) -> str | None:
    """Return what is said of the values of an expression at places (k, d)."""
    axes = dict(zip("xyz", x.T, strict=False))
    if prop.expression is None or not prop.names or not prop.names <= {*axes} or not len(x):
        return None
    values = np.broadcast_to(prop.expression(axes), len(x))
    for i in (int(values.argmin()), int(values.argmax())):
        text = within.told(float(values[i]), closed=True)
        if text is not None:
            return f"{text} at ({', '.join(f'{v:.6g}' for v in x[i])}) m"
    return None


def _places(deck: Deck, mesh: Mesh) -> Iterator[tuple[str, Property, np.ndarray]]:
    """Yield every property with its path, and cell and middle (k, 1 + d) of where it holds."""
    cells = np.arange(mesh.n_cells)
    middles = np.column_stack([cells, mesh.points[mesh.vertices].mean(axis=1)])
    for path, prop in properties(deck.physics, "physics"):
        yield path, prop, middles
    for i, condition in enumerate(deck.boundary):
        area = with_area(mesh, condition.on) if condition.terms else None
        if area is None:
            continue
        pairs = boundary_facets(mesh, area)
        corners = mesh.vertices[pairs[:, :1], mesh.reference.facets[pairs[:, 1]]]
        facets = np.column_stack([pairs[:, 0], mesh.points[corners].mean(axis=1)])
        for kind, params in condition.terms.items():
            for path, prop in properties(params, f"boundary[{i}].{kind}"):
                yield path, prop, facets
