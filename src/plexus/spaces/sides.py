"""The two sides of facets inside the body: which cells lie there, and how many facets have which.

A boundary names one cell of each of its facets. A facet inside the body has another one behind it, which
every rank that owns the first has too: the ghost layer reaches across facets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.mesh.facets import facet_keys, mates, numbers, opposite
from plexus.mesh.mesh import Mesh


@dataclass(frozen=True)
class Census:
    """Numbers of facets of all ranks: all, those inside the body, and how those lie towards a region."""

    total: int
    inside: int
    without: int
    """Those with no cell of the region; 0 where no region is asked for."""
    twice: int
    """Those with a cell of the region on both sides."""


def same(pairs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which pairs (cell, facet) are among others, bool (k,)."""
    return np.isin(numbers(pairs), numbers(others))


def both(mesh: Mesh, pairs: np.ndarray) -> np.ndarray:
    """Return the pairs on both sides of facets, (k, 2, 2): as given, then behind; -1 where no cell is."""
    behind = np.full_like(pairs, -1)
    inside = ~same(pairs, mesh.outside)
    if inside.any():
        _, topology = np.unique(mesh.vertex_ids, return_inverse=True)
        behind[inside] = opposite(mesh.reference, topology[mesh.vertices], pairs[inside])
    return np.stack([pairs, behind], axis=1)


def seen_from(mesh: Mesh, pairs: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return facets as sides of ``cells`` (k,), without those that are sides of none, (m, 2).

    Where both sides are among the cells, the one that is given counts.
    """
    sides = both(mesh, pairs)
    inside = _among(mesh, sides, cells)
    chosen = np.where(inside[:, :1, None], sides[:, 0:1], sides[:, 1:2])[:, 0]
    return chosen[inside.any(axis=1)]


def lower(mesh: Mesh, pairs: np.ndarray) -> np.ndarray:
    """Return facets as sides of the cells of lower number, as boundaries name them."""
    sides = both(mesh, pairs)
    # what is not there has no number; facets of own nodes have both cells here
    ids = np.where(sides[..., 0] >= 0, mesh.cell_ids[sides[..., 0]], np.iinfo(np.int64).max)
    return sides[np.arange(len(pairs)), np.argmin(ids, axis=1)]


def between(mesh: Mesh, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the facets between cells of one set alone and of another alone, as boundaries name them, (k, 2).

    ``first`` and ``second`` are local cells, ghosts included. Facets with one cell here are left out; no
    node of an own cell lies on one.
    """
    side = np.zeros(mesh.n_cells, dtype=np.int8)
    side[first] += 1
    side[second] -= 1
    near = _at_both(mesh, side)
    mate = mates(facet_keys(mesh.reference, mesh.vertex_ids[mesh.vertices[near]]))
    n = len(mesh.reference.facets)
    rows = np.arange(len(mate)) // n
    # what has no cell behind it is its own
    behind = np.where(mate >= 0, mate // n, rows)
    ids, sign = mesh.cell_ids[near], side[near]
    chosen = (ids[rows] < ids[behind]) & (sign[rows] != sign[behind])
    return np.stack([near[rows[chosen]], np.flatnonzero(chosen) % n], axis=1).astype(np.int32)


def _at_both(mesh: Mesh, side: np.ndarray) -> np.ndarray:
    """Return the cells of side 1 or -1, (C,) int8, that share a facet's worth of vertices with the other."""
    _, topology = np.unique(mesh.vertex_ids, return_inverse=True)
    vertices = topology[mesh.vertices]
    touched = np.zeros((2, len(mesh.vertex_ids)), dtype=bool)
    touched[0, vertices[side == 1]] = touched[1, vertices[side == -1]] = True
    enough = touched.all(axis=0)[vertices].sum(axis=1) >= mesh.reference.facets.shape[1]
    return np.flatnonzero(enough & (side != 0))


def census(mesh: Mesh, pairs: np.ndarray, cells: np.ndarray | None = None) -> Census:
    """Return how many facets there are, counted by the ranks that own the cells of ``pairs``. Collective."""
    own = pairs[pairs[:, 0] < mesh.n_owned_cells]
    without = twice = np.zeros(len(own), dtype=bool)
    if cells is not None:
        hits = _among(mesh, both(mesh, own), cells).sum(axis=1)
        without, twice = hits == 0, hits == 2
    counts = np.array([len(own), (~same(own, mesh.outside)).sum(), without.sum(), twice.sum()])
    return Census(*map(int, mesh.comm.allreduce(counts)))


def _among(mesh: Mesh, sides: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return whether the cells of sides (k, 2, 2) are among ``cells``, bool (k, 2)."""
    # the last entry stands for the cell that is not there
    member = np.zeros(mesh.n_cells + 1, dtype=bool)
    member[cells] = True
    return member[sides[..., 0]]
