"""Named parts of a mesh, looked up with a message that helps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from plexus.errors import InputError
from plexus.mesh.doubled import between_regions
from plexus.mesh.facets import each_once
from plexus.mesh.mesh import Mesh
from plexus.protocols.facets import Facets, regions_at
from plexus.spaces.sides import between, both, census, same, seen_from


def region_cells(mesh: Mesh, name: str) -> np.ndarray:
    """Return the local cells of a named region, ghosts included.

    Raises
    ------
    InputError
        If the mesh has no region of that name.
    """
    return _pick(mesh.regions, "region", name, mesh.boundaries)


def boundary_facets(mesh: Mesh, where: str | Facets) -> np.ndarray:
    """Return the pairs (local cell, local facet) of facets, each facet once, (k, 2), ghosts included.

    Facets inside the body come with the cell of the lower number, or with that of the region of ``where``.

    Raises
    ------
    InputError
        If the mesh has no boundary or region of that name.
    """
    where = Facets.of(where)
    parts = [_facets(mesh, name) for name in where]
    pairs = parts[0] if len(parts) == 1 else each_once(np.concatenate(parts))
    return pairs if where.side is None else seen_from(mesh, pairs, region_cells(mesh, where.side))


def facets_by_side(mesh: Mesh, where: str | Facets) -> np.ndarray:
    """Return facets as a value on them sees them: those of `Mesh.cut` on each side that is meant, (k, 2)."""
    where = Facets.of(where)
    pairs = boundary_facets(mesh, Facets(where.names))
    if mesh.cut is None:
        return pairs
    crossed = same(pairs, mesh.cut)
    if where.side is not None:
        meant = seen_from(mesh, pairs[crossed], region_cells(mesh, where.side))
    else:
        meant = both(mesh, pairs[crossed]).reshape(-1, 2)
    return np.concatenate([pairs[~crossed], meant[meant[:, 0] >= 0]])


def crosses(mesh: Mesh, where: Facets) -> bool:
    """Return whether values may jump at some of these facets. Collective."""
    pairs = boundary_facets(mesh, Facets(where.names))
    return mesh.cut is not None and census(mesh, pairs[same(pairs, mesh.cut)]).total > 0


def _facets(mesh: Mesh, name: str) -> np.ndarray:
    """Return the facets of one boundary of the mesh, or those where two regions meet."""
    if name not in mesh.boundaries and name in mesh.skeleton:
        raise InputError(f"{name!r} is a curve or a point of the mesh, no boundary: it has no area")
    regions = None if name in mesh.boundaries else regions_at(name)
    if regions is not None:
        return between(mesh, *(region_cells(mesh, region) for region in regions))
    return _pick(mesh.boundaries, "boundary", name, mesh.regions)


def skeleton_entities(mesh: Mesh, name: str) -> np.ndarray | None:
    """Return the pairs (local cell, entity) of a curve or point, (k, 2), ghosts included; None if it is none.

    A boundary of the same name goes first.
    """
    return None if name in mesh.boundaries else mesh.skeleton.get(name)


def with_area(mesh: Mesh, where: str | Facets) -> Facets | None:
    """Return those of the places that are boundaries; None if all are curves and points."""
    where = Facets.of(where)
    names = tuple(name for name in where if skeleton_entities(mesh, name) is None)
    return replace(where, names=names) if names else None


def require_cells(mesh: Mesh, name: str | None) -> None:
    """Refuse a region without cells. Collective.

    Raises
    ------
    InputError
        If the mesh has no such region, or no cell in it.
    """
    cells = np.zeros(1) if name is None else region_cells(mesh, name)
    if not mesh.comm.allreduce(len(cells)):
        raise InputError(f"region {name} has no cell")


def require_facets(
    mesh: Mesh, where: Facets, sided: bool, region: str | None = None, outer: bool = False
) -> None:
    """Refuse facets that are none, or that have two sides where one is needed. Collective.

    Parameters
    ----------
    mesh, where
        The facets; with a side all of them must have a cell there.
    sided
        Whether the two sides of a facet inside the body differ for what shall happen there.
    region
        Those of the facets are meant that have a cell in it.
    outer
        Refuse facets inside the body, whichever side is named, but for those at which values may jump.

    Raises
    ------
    InputError
        With what can be named instead.
    """
    pairs = boundary_facets(mesh, Facets(where.names))
    side = where.side or region
    found = census(mesh, pairs, None if side is None else region_cells(mesh, side))
    names = ", ".join(where.names)
    if found.total == found.without:
        what = f"is a side of region {side}" if side else f"is there{_touching(mesh, where)}"
        raise InputError(f"{names}: no facet {what}")
    if where.side and found.without:
        raise InputError(
            f"{names}: {found.without:,} of {found.total:,} facets are no sides of region {side}"
        )
    closed = census(mesh, pairs if mesh.cut is None else pairs[~same(pairs, mesh.cut)]).inside
    if outer and closed:
        raise InputError(f"{names}: {closed:,} facets lie inside the body, where nothing is exchanged")
    if not sided or not found.inside:
        return
    if side is None:
        raise InputError(
            f"{names}: {found.inside:,} facets lie inside the body: {_which_side(mesh, where, pairs)}"
        )
    if found.twice:
        raise InputError(
            f"{names}: {found.twice:,} facets lie between two cells of {side}, so that it does not tell "
            f"which side is meant: {_which_side(mesh, where, pairs)}"
        )


def _touching(mesh: Mesh, where: Facets) -> str:
    """Return what is said of regions that should meet, but touch without common nodes. Collective."""
    regions = regions_at(where.names[0]) if len(where) == 1 else None
    return between_regions(mesh, *(region_cells(mesh, name) for name in regions)) if regions else ""


def _which_side(mesh: Mesh, where: Facets, pairs: np.ndarray) -> str:
    """Return how a side of facets inside the body can be named. Collective."""
    counts = {name: census(mesh, pairs, cells) for name, cells in sorted(mesh.regions.items())}
    sides = [name for name, count in counts.items() if not count.twice and count.without < count.total]
    whole = [name for name in sides if not counts[name].without] or sides
    if not whole:
        return "no region lies on one side of them only; give the cells of one side a region of their own"
    names = where.names[0] if len(where) == 1 else f"[{', '.join(where.names)}]"
    others = f" (or {', '.join(whole[1:])})" if len(whole) > 1 else ""
    return f"say from which side they are seen, {{interface: {names}, from: {whole[0]}}}{others}"


def unknown(kind: str, name: str, known: Collection[str], others: Collection[str]) -> str:
    """Return what is said of a name that is none of the ``known`` ones of its kind."""
    text = f"the mesh has no {kind} {name!r}; it has {', '.join(sorted(known)) or 'none'}"
    if name in others:
        text += f"; {name} is a {'boundary' if kind == 'region' else 'region'}"
    return text


def _pick(parts: dict[str, np.ndarray], kind: str, name: str, others: dict[str, np.ndarray]) -> np.ndarray:
    if name not in parts:
        raise InputError(unknown(kind, name, parts, others))
    return parts[name]
