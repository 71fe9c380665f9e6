"""Vertices that a mesh has twice where parts of the body touch: cells are not connected there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.exchange import Route
from plexus.mesh.facets import numbers
from plexus.mesh.mesh import SMALL

if TYPE_CHECKING:
    from plexus.mesh.mesh import Mesh

PRIMES = np.array([73856093, 19349663, 83492791])
"""Weights of rounded coordinates in the choice of the rank that compares what lies at a place."""


def in_mesh(mesh: Mesh) -> str:
    """Return what is said of a mesh with such vertices, else nothing. Collective."""
    places = _places(mesh, mesh.outside, mesh.outside) if _repeated(mesh) else np.empty((0, mesh.dim))
    where = ", ".join(f"{v:.6g}" for v in places[0]) if len(places) else ""
    return where and (
        f"{len(places):,} vertices lie where another one lies, the first at ({where}) m: cells are not "
        "connected there (in Gmsh, fragment the geometry or use Coherence Mesh)"
    )


def on_facets(mesh: Mesh, pairs: np.ndarray) -> str:
    """Return what is said of facets (k, 2) on others without common nodes, else nothing. Collective."""
    return _said(_places(mesh, pairs[np.isin(numbers(pairs), numbers(mesh.outside))], mesh.outside))


def between_regions(mesh: Mesh, first: np.ndarray, second: np.ndarray) -> str:
    """Return what is said of touching regions (cells) without common nodes, else nothing. Collective."""
    return _said(_places(mesh, *(mesh.outside[np.isin(mesh.outside[:, 0], c)] for c in (first, second))))


def _repeated(mesh: Mesh) -> bool:
    """Return whether two outer vertices have places that look alike. Collective.

    In most meshes none do, and sorting one number of each says so at once.
    """
    comm, scale = mesh.comm, _scale(mesh)
    rows = _vertices(mesh, mesh.outside, scale)
    key = rows[:, 1:] @ PRIMES[: mesh.dim]
    number, key = Route(comm, key % comm.size).forward(np.column_stack([rows[:, 0], key])).T
    order = np.argsort(key)
    number, key = number[order], key[order]
    return any(comm.allgather(bool(((key[1:] == key[:-1]) & (number[1:] != number[:-1])).any())))


def _scale(mesh: Mesh) -> float:
    """Return the distance of vertices that is rounding [m]. Collective."""
    return SMALL * max(mesh.comm.allgather(float(np.abs(mesh.points).max(initial=0.0)))) or 1.0


def _said(places: np.ndarray) -> str:
    text = (
        f"; {len(places):,} of their vertices lie where others lie, so that the mesh is cut there already: "
    )
    return text + "give both sides the same nodes, a contact cuts them itself" if len(places) else ""


def _places(mesh: Mesh, pairs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return where vertices of outer facets lie on different ones of ``others``, (k, d) [m]. Collective."""
    comm, scale = mesh.comm, _scale(mesh)
    sides = [_vertices(mesh, part, scale) for part in (pairs, others)]
    rows = np.concatenate([np.insert(side, 0, i, axis=1) for i, side in enumerate(sides)])
    rows = Route(comm, (rows[:, 2:] @ PRIMES[: mesh.dim]) % comm.size).forward(rows)
    at, place = np.unique(rows[:, 2:], axis=0, return_inverse=True)
    number, place = rows[:, 1], place.ravel()
    mine, theirs = (np.flatnonzero(rows[:, 0] == i) for i in (0, 1))
    low, high = np.full(len(at), np.iinfo(np.int64).max), np.full(len(at), -1)
    np.minimum.at(low, place[theirs], number[theirs])
    np.maximum.at(high, place[theirs], number[theirs])
    # low > high where nothing of the others lies
    low, high = low[place[mine]], high[place[mine]]
    different = (low <= high) & ((low != number[mine]) | (high != number[mine]))
    found = np.concatenate(comm.allgather(at[np.unique(place[mine[different]])]))
    return found[np.lexsort(found.T[::-1])] * scale


def _vertices(mesh: Mesh, pairs: np.ndarray, scale: float) -> np.ndarray:
    """Return number and rounded coordinates of the vertices of facets, each once, (k, 1 + d) int64."""
    on = np.zeros(len(mesh.points), dtype=bool)
    on[mesh.vertices[pairs[:, :1], mesh.reference.facets[pairs[:, 1]]]] = True
    local = np.flatnonzero(on)
    keys = np.round(mesh.points[local] / scale).astype(np.int64)
    return np.column_stack([mesh.vertex_ids[local], keys])
