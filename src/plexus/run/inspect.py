"""Whether the deck's material data fit the mesh and the result: regions, tables, the radius."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.deck.conditions import misplaced
from plexus.deck.params import Params, Property
from plexus.deck.places import expressions
from plexus.errors import InputError, at_path
from plexus.spaces.names import boundary_facets, region_cells

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.mesh.mesh import Mesh
    from plexus.run import Run


def properties(value: Any, path: str) -> Iterator[tuple[str, Property]]:
    """Yield every property inside a block of the deck with its path."""
    if isinstance(value, Property):
        yield path, value
        for name, part in value.regions.items():
            yield from properties(part, f"{path}.regions.{name}")
    elif isinstance(value, Params):
        for name in type(value).model_fields:
            yield from properties(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from properties(item, f"{path}[{number}]")


def check_places(conditions: Sequence[Condition], mesh: Mesh) -> None:
    """Refuse names that the mesh does not have, and terms that cannot stand on curves or points.

    Raises
    ------
    InputError
        At the deck path of what does not fit.
    """
    for i, condition in enumerate(conditions):
        for name in condition.on:
            if name not in mesh.boundaries and name not in mesh.skeleton:
                with at_path(f"boundary[{i}].on"):
                    boundary_facets(mesh, name)
        for kind, text in misplaced(condition, set(mesh.skeleton) - set(mesh.boundaries)):
            raise InputError(f"boundary[{i}].{kind}: {text}")


def check(physics: Params, mesh: Mesh) -> None:
    """Refuse properties by region that leave cells out or count twice, and radii < 0. Collective.

    Raises
    ------
    InputError
        At the deck path of what does not fit.
    """
    check_cover(physics, "physics", mesh)
    if getattr(physics, "geometry", None) == "axisymmetric":
        low, high = -mesh.comm.allreduce(_top(-mesh.points[:, 0]), op=MPI.MAX), _top(mesh.points[:, 0])
        if low < -1e-9 * mesh.comm.allreduce(high, op=MPI.MAX):
            raise InputError(
                f"physics.geometry: axisymmetric needs radii x >= 0, the mesh begins at {low:.4g} m"
            )


def locking(run: Run) -> list[str]:
    """Return a warning where an expression of Poisson's ratio comes close to 1/2. Collective.

    What the deck states as numbers is known before the run.
    """
    physics, found = run.deck.physics, list[str]()
    locks = getattr(physics, "locks", None)
    if locks is None or not physics.can_lock:
        return found
    for path, prop in properties(physics.material.poisson_ratio, "physics.material.poisson_ratio"):
        if prop.expression is not None and prop.names:
            nu = _largest(run, prop)
            found += [] if (text := locks(nu)) is None else [f"{path}: {text}"]
    return found


def _top(values: np.ndarray) -> float:
    """Return the largest value, minus infinity without any."""
    return float(np.max(values, initial=-np.inf))


def check_cover(value: Any, path: str, mesh: Mesh, cells: np.ndarray | None = None) -> None:
    """Refuse properties by region that leave cells out or count twice. Collective.

    ``cells`` are those at which they are looked at, one entry per facet; all cells for None.

    Raises
    ------
    InputError
        At the deck path of what does not fit.
    """
    for place, prop in properties(value, path):
        if prop.regions:
            _check_cover(place, prop, mesh, cells)


def _check_cover(path: str, prop: Property, mesh: Mesh, cells: np.ndarray | None) -> None:
    """Refuse cells with no value or with two."""
    count = np.zeros(len(mesh.cells), dtype=int)
    for name in prop.regions:
        with at_path(f"{path}.regions"):
            count[region_cells(mesh, name)] += 1
    own = count[: mesh.n_owned_cells] if cells is None else count[cells[cells < mesh.n_owned_cells]]
    without, twice = mesh.comm.allreduce(np.array([np.sum(own == 0), np.sum(own > 1)]))
    what = "cells" if cells is None else "facets"
    if without:
        others = ", ".join(n for n in mesh.regions if n not in prop.regions)
        hint = f"; other regions are {others}" if others else ""
        raise InputError(f"{path}: {without:,} {what} are in none of its regions{hint}")
    if twice:
        raise InputError(f"{path}: {twice:,} {what} are in more than one of its regions")


def vanishing(run: Run) -> list[str]:
    """Return a line for each property of the physics, sources aside, that is zero everywhere. Collective."""
    found = []
    for path, prop in properties(run.deck.physics, "physics"):
        # what the deck does not mention is meant to be zero
        stated = any(place.startswith(path) for place in run.deck.origins)
        if stated and not path.endswith("source") and _largest(run, prop) == 0:
            found.append(f"{path}: is zero everywhere; does it leave the equation without a solution?")
    return found


def lost(run: Run) -> list[str]:
    """Return which expressions had no finite value at the last evaluations, on any rank. Collective."""
    noted = [expression.noted for _, expression in expressions(run.deck) if expression.noted]
    return sorted({text for texts in run.ctx.comm.allgather(noted) for text in texts})[:5]


def _largest(run: Run, prop: Property) -> float:
    """Return the largest magnitude of a property; that of regions is told region by region. Collective."""
    if prop.expression is None:
        return max((abs(y) for y in prop.table.ys), default=0.0) if prop.table else np.inf
    value = run.fields.evaluate(prop.expression.text)[2] if prop.names else np.array(prop.constant)
    return float(run.ctx.comm.allreduce(_top(np.abs(value)), op=MPI.MAX))


def _everywhere(run: Run) -> Iterator[tuple[str, Property, Any]]:
    """Yield every property of the physics and of the boundary terms, with path and nodes where it is used."""
    for path, prop in properties(run.deck.physics, "physics"):
        yield path, prop, slice(None)
    # one numbering of nodes serves all unknowns on elements
    space = next(iter(run.system.spaces.values()))
    for i, condition in enumerate(run.deck.boundary):
        nodes = space.facet_nodes(condition.on) if condition.terms else None
        for kind, params in condition.terms.items():
            for path, prop in properties(params, f"boundary[{i}].{kind}"):
                yield path, prop, nodes


def beyond_tables(run: Run) -> list[str]:
    """Return a warning for each table whose range the present state leaves. Collective."""
    found = []
    for path, prop, nodes in _everywhere(run):
        if prop.table is None:
            continue
        array = run.fields.evaluate(prop.table.of)[2][nodes]
        low, high = (run.ctx.comm.allreduce(_top(sign * array), op=MPI.MAX) * sign for sign in (-1, 1))
        first, last = prop.table.xs[0], prop.table.xs[-1]
        slack = 1e-3 * (last - first)  # end values stand for what is this close, e.g. a solver's error
        if low < first - slack or high > last + slack:
            found.append(
                f"{path}: {prop.table.of} reaches from {low:.6g} to {high:.6g}, beyond the table "
                f"({first:.6g} to {last:.6g}); its end values were used there"
            )
    return found
