"""`plexus check` on elements: the mesh on one rank, and the checks that a run makes of deck and mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.deck.conditions import misplaced
from plexus.discretisations import _coefficients, _contacts, _places, _positions
from plexus.discretisations._checks import balances, held_there
from plexus.discretisations._degree import cautions
from plexus.errors import InputError, at_path
from plexus.fields.connected import components
from plexus.mesh.look import Look, extent
from plexus.mesh.mesh import EXTERIOR
from plexus.protocols import Equation, Looks, MeshSource, Seen, Sided
from plexus.protocols.facets import Facets, regions_at
from plexus.spaces.names import boundary_facets, crosses, facets_by_side, require_facets, unknown, with_area
from plexus.spaces.search import require_inside, require_one_side
from plexus.spaces.sides import same

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh


UNJUDGED = (
    "whether conditions find facets and bear each other, positions lie in the mesh, and sides of facets are "
    "named: the mesh is large, the run judges before it solves"
)
"""What is told of a deck whose mesh is not made to look at it."""


def of_mesh(found: Look) -> dict[str, str]:
    """Return label -> text of what was seen of a mesh."""
    if found.mesh is None:
        return {**found.lines, **_names(found.regions, found.boundaries, found.skeleton)}
    return {**found.lines, **_facts(found.mesh)}


def look(deck: Deck) -> Seen:
    """Return what is seen of the mesh; see `plexus.protocols.Discretisation.look`."""
    source: Any = registry.build("mesh", deck.mesh)
    found = source.look() if isinstance(source, Looks) else _sizes(source)
    mesh = found.mesh
    kind = found.kind if mesh is None else (mesh.cell, mesh.geometry_degree)
    warnings = [*found.warnings, *(cautions(deck.physics, *kind) if kind else ())]
    if mesh is None:
        _check_names(deck, found)
        return Seen({**of_mesh(found), "not judged": UNJUDGED}, warnings)
    cls: Any = registry.component("physics", deck.physics.type).cls
    mesh.cut = _contacts.cut(deck, mesh)
    equations = cls(deck.physics).equations
    warnings += _places.check(deck, mesh, equations)
    _check_sides(deck, mesh, equations)
    _coefficients.check(deck, mesh)
    for require in (require_inside, require_one_side):
        _positions.check(deck, partial(require, mesh))
    return Seen(of_mesh(found), warnings)


def _check_sides(deck: Deck, mesh: Mesh, equations: Sequence[Equation]) -> None:
    """Refuse quantities on facets that are none, or whose sides they do not name; the run's own checks."""
    unknowns = {spec.name for e in equations for spec in e.fields}
    inner = {d.spec.name for e in equations for d in e.derived()} - unknowns
    inner |= {spec.name for e in equations for spec in e.internal}
    for name, params in deck.quantities.items():
        on, of = getattr(params, "on", None), getattr(params, "of", None)
        quantity: Any = registry.build("quantity", params)
        area = None if on is None else with_area(mesh, on)
        if area is not None and isinstance(quantity, Sided):
            # an unknown differs between the sides of a contact, too
            sided, outer = quantity.sides(inner | unknowns if crosses(mesh, area) else inner)
            with at_path(f"quantities.{name}.on"):
                require_facets(mesh, area, sided, getattr(params, "region", None), outer)
                if outer and of in balances(equations):
                    _check_free(deck, mesh, area, balances(equations)[of])


def _check_free(deck: Deck, mesh: Mesh, area: Facets, name: str) -> None:
    """Refuse facets through which flows by terms are asked for, where the unknown is prescribed on some."""
    pairs = boundary_facets(mesh, area)
    for condition in deck.boundary:
        held = with_area(mesh, condition.on) if name in {*condition.values, *condition.normals} else None
        if held is not None and same(facets_by_side(mesh, held), pairs).any():
            raise InputError(held_there(name, held))


def _sizes(source: MeshSource) -> Look:
    """Return what a source tells that cannot show its mesh."""
    size = source.estimate()
    lines = {"cells": f"{size.n_cells:,} {size.cell} cells, {size.n_points:,} points"}
    kind = (size.cell, size.degree)
    return Look(lines, None, size.regions, size.boundaries, size.skeleton, kind=kind)


def _names(regions: Sequence[str], boundaries: Sequence[str], skeleton: Sequence[str]) -> dict[str, str]:
    lines = {"boundaries": ", ".join(boundaries) or "-", "regions": ", ".join(regions) or "-"}
    return lines | ({"edges/points": ", ".join(skeleton)} if skeleton else {})


def _facts(mesh: Mesh) -> dict[str, str]:
    """Return sizes and names of a mesh on one rank."""
    order = f" of degree {mesh.geometry_degree}" if mesh.geometry_degree > 1 else ""
    inside = {name: int((~same(pairs, mesh.outside)).sum()) for name, pairs in mesh.boundaries.items()}
    regions = [_count(name, len(cells), "cell") for name, cells in sorted(mesh.regions.items())]
    boundaries = [
        _count(name, len(pairs), "facet", f", {inside[name]:,} inside the body" if inside[name] else "")
        for name, pairs in sorted(mesh.boundaries.items())
    ]
    v = mesh.reference.n_vertices
    skeleton = [
        _count(name, len(pairs), "edge" if len(pairs) and pairs[0, 1] >= v else "point")
        for name, pairs in sorted(mesh.skeleton.items())
    ]
    return {
        "cells": f"{mesh.n_cells:,} {mesh.cell} cells{order}, {len(mesh.points):,} points",
        "extent": extent(mesh.points.min(axis=0), mesh.points.max(axis=0)),
        "parts": _parts(mesh),
        **_names(regions, boundaries, skeleton),
    }


def _count(name: str, n: int, what: str, more: str = "") -> str:
    return f"{name} ({n:,} {what}{'s' * (n != 1)}{more})" if n else f"{name} (empty)"


def _parts(mesh: Mesh) -> str:
    """Return how many connected parts there are, and the sizes of several."""
    _, vertices = np.unique(mesh.vertex_ids[mesh.vertices], return_inverse=True)
    vertices = vertices.reshape(mesh.vertices.shape)
    first = np.repeat(vertices[:, 0], vertices.shape[1] - 1)
    low = components(first, vertices[:, 1:].ravel(), int(vertices.max()) + 1)
    _, cells = np.unique(low[vertices[:, 0]], return_counts=True)
    if len(cells) == 1:
        return "1 connected part"
    largest = np.sort(cells)[::-1]
    sizes = ", ".join(f"{n:,}" for n in largest[:5]) + ", …" * (len(cells) > 5)
    return f"{len(cells):,} parts that are not connected, of {sizes} cells"


def _check_names(deck: Deck, found: Look) -> None:
    """Refuse names that a mesh lacks whose names only are known; messages are those of the run."""
    known: Mapping[str, Any] = dict.fromkeys((*found.boundaries, EXTERIOR))
    for i, condition in enumerate(deck.boundary):
        for name in condition.on:
            if name in known or name in found.skeleton:
                continue
            regions = regions_at(name)
            missing = [r for r in regions or () if r not in found.regions]
            if regions is None:
                raise InputError(f"boundary[{i}].on: {unknown('boundary', name, known, found.regions)}")
            if missing:
                raise InputError(f"boundary[{i}].on: {unknown('region', missing[0], found.regions, known)}")
        for kind, text in misplaced(condition, set(found.skeleton) - set(found.boundaries)):
            raise InputError(f"boundary[{i}].{kind}: {text}")
