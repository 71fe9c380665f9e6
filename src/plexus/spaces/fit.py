"""Whether the deck fits the mesh: names, properties by region, the radius. Needs no MPI on one rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.conditions import misplaced
from plexus.deck.walk import properties
from plexus.errors import InputError, at_path
from plexus.spaces.names import boundary_facets, region_cells

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.deck.params import Params, Property
    from plexus.mesh.mesh import Mesh


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
        x = mesh.points[:, 0]
        ranks = mesh.comm.allgather((np.min(x, initial=np.inf), np.max(x, initial=-np.inf)))
        low, high = min(a for a, _ in ranks), max(b for _, b in ranks)
        if low < -1e-9 * high:
            raise InputError(
                f"physics.geometry: axisymmetric needs radii x >= 0, the mesh begins at {low:.4g} m"
            )


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
