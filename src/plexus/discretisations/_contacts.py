"""Facets inside the body at which a deck lets unknowns jump: where they are, and what is refused there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from plexus import registry
from plexus.errors import InputError, at_path
from plexus.mesh.doubled import on_facets
from plexus.protocols.facets import Facets, across
from plexus.spaces.names import boundary_facets
from plexus.spaces.sides import both, census, same

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh
    from plexus.spaces.lagrange import Space


def between(kind: str) -> bool:
    """Return whether a boundary term acts between the two sides of facets inside the body."""
    return across(registry.component("boundary", kind).cls)


def crossings(conditions: Sequence[Condition]) -> Iterator[tuple[int, str, Facets]]:
    """Yield number of a condition, term and places of all terms across."""
    for i, condition in enumerate(conditions):
        yield from ((i, kind, condition.on) for kind in condition.terms if between(kind))


def cut(deck: Deck, mesh: Mesh) -> np.ndarray | None:
    """Return both sides of the facets at which unknowns jump, `Mesh.cut`."""
    found = list(crossings(deck.boundary))
    if not found:
        return None
    parts = []
    for i, _, on in found:
        with at_path(f"boundary[{i}].on"):
            parts.append(both(mesh, boundary_facets(mesh, Facets(on.names))))
    sides = np.unique(np.concatenate(parts), axis=0)
    return sides[(sides >= 0).all(axis=(1, 2))].reshape(-1, 2)


def check(deck: Deck, mesh: Mesh) -> None:
    """Refuse terms across facets that have one side, that are periodic, or that have such a term. Collective.

    Raises
    ------
    InputError
        At the deck path of the first of them.
    """
    found = [(i, kind, boundary_facets(mesh, Facets(on.names))) for i, kind, on in crossings(deck.boundary)]
    for i, kind, pairs in found:
        with at_path(f"boundary[{i}].on"):
            _require_inside(mesh, kind, pairs)
    for (i, kind, pairs), (j, other, others) in combinations(found, 2):
        shared = census(mesh, pairs[same(pairs, others)]).total
        if shared:
            here = f"{shared:,} of its facets have the {kind} of boundary[{i}] already"
            raise InputError(f"boundary[{j}].{other}: {here}; one facet has one")


def idle(deck: Deck, space: Space) -> Iterator[str]:
    """Yield a warning for facets whose sides share all nodes: both ends of the cut lie there. Collective."""
    mesh = space.mesh
    for i, kind, on in crossings(deck.boundary):
        pairs = boundary_facets(mesh, Facets(on.names))
        sides = both(mesh, pairs[pairs[:, 0] < mesh.n_owned_cells])
        places = space.element.facet_nodes[sides[..., 1]]
        nodes = np.sort(np.take_along_axis(space.cell_nodes[sides[..., 0]], places, axis=2), axis=2)
        closed = int((nodes[:, 0] == nodes[:, 1]).all(axis=1).sum())
        count, total = mesh.comm.allreduce(np.array([closed, len(nodes)]))
        if count:
            text = (
                f"on {count:,} of {total:,} facets nothing can jump, as they end inside the body all around"
            )
            yield f"boundary[{i}].{kind}: {text}: use finer cells there"


def _require_inside(mesh: Mesh, kind: str, pairs: np.ndarray) -> None:
    """Refuse facets of which no rank knows two sides, or whose sides lie apart. Collective."""
    count = census(mesh, pairs)
    if count.inside < count.total:
        raise InputError(
            f"{count.total - count.inside:,} of {count.total:,} facets have the body on one side only: a "
            f"{kind} lies between two regions, `on: A|B`"
            + (on_facets(mesh, pairs) or "; to something outside, convection has an ambient")
        )
    if census(mesh, pairs[_periodic(mesh, pairs)]).total:
        raise InputError(f"facets are periodic: a {kind} cannot lie where the mesh is continued")


def _periodic(mesh: Mesh, pairs: np.ndarray) -> np.ndarray:
    """Return which facets inside the body have other points on their other side, bool (k,)."""
    sides = both(mesh, pairs)
    known = (sides >= 0).all(axis=(1, 2))
    points = mesh.point_ids[mesh.vertices]
    seen = [
        np.sort(np.take_along_axis(points[s[:, 0]], mesh.reference.facets[s[:, 1]], axis=1), axis=1)
        for s in (sides[:, 0], sides[:, 1])
    ]
    return known & (seen[0] != seen[1]).any(axis=1)
