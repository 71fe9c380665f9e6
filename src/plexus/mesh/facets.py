"""Matching of facets by their vertices, on one rank and across ranks: neighbours and named facets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError
from plexus.mesh.cells import Cell
from plexus.mesh.exchange import Route, agreed, home

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

_ODD = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype=np.uint64
)


def facet_keys(cell: Cell, vertices: np.ndarray) -> np.ndarray:
    """Return the ascending vertices of all facets of cells (c, v), (c·f, k): cell by cell."""
    return _keys(cell.facets, vertices)


def _keys(parts: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    keys = vertices[:, parts].reshape(-1, parts.shape[1])
    return np.sort(keys, axis=1)


def numbers(pairs: np.ndarray) -> np.ndarray:
    """Return a number for each pair (cell, facet) that tells it apart and keeps the order, (k,) int64."""
    # no cell has eight facets
    return pairs.astype(np.int64) @ [8, 1]


def each_once(pairs: np.ndarray) -> np.ndarray:
    """Return the different ones of pairs (cell, facet), ascending, (m, 2)."""
    # numbers sort much faster than rows of a table
    return np.stack(np.divmod(np.unique(numbers(pairs)), 8), axis=1).astype(pairs.dtype)


def sort_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order that brings equal rows together, and for each sorted row whether it starts a group.

    Rows are compared by a 64-bit hash first; should two different rows share one, by all columns.
    """
    if rows.shape[1] == 1:
        order = np.argsort(rows[:, 0], kind="stable")
        return order, _starts_group(rows[order])
    # odd multipliers keep all bits of each column; the shift mixes high bits into low ones
    hashed = rows.astype(np.uint64) @ _ODD[: rows.shape[1]]
    hashed ^= hashed >> np.uint64(29)
    order = np.argsort(hashed, kind="stable")
    new, hash_new = _starts_group(rows[order]), _starts_group(hashed[order, None])
    if not np.array_equal(new, hash_new):
        order = np.lexsort(rows.T[::-1])
        new = _starts_group(rows[order])
    return order, new


def _starts_group(rows: np.ndarray) -> np.ndarray:
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return new


def mates(keys: np.ndarray) -> np.ndarray:
    """Return for each key the index of the other equal key, or -1.

    Raises
    ------
    InputError
        If more than two keys are equal: three cells cannot share a facet.
    """
    order, new = sort_rows(keys)
    # sorted, equal keys stand side by side: the second of a pair does not start a group
    second = np.flatnonzero(~new)
    if len(second) and (np.diff(second) == 1).any():
        first = second[np.flatnonzero(np.diff(second) == 1)[0]]
        names = ", ".join(map(str, keys[order[first]]))
        raise InputError(
            f"the mesh is not valid: a facet is shared by more than two cells, that of the points {names}"
        )
    mate = np.full(len(keys), -1)
    mate[order[second]] = order[second - 1]
    mate[order[second - 1]] = order[second]
    return mate


def senses(cell: Cell, vertices: np.ndarray) -> np.ndarray:
    """Return in which of two senses the vertices of all facets of cells (c, v) are passed, (c·f,) int8.

    The two cells at a facet see it from opposite sides, so that they pass its vertices in opposite senses.
    """
    around = vertices[:, cell.facets].reshape(-1, cell.facets.shape[1])
    if around.shape[1] == 1:
        # the two ends of a line
        return np.tile(np.array([0, 1], dtype=np.int8), len(vertices))
    rows, lowest = np.arange(len(around)), np.argmin(around, axis=1)
    after, before = (around[rows, (lowest + step) % around.shape[1]] for step in (1, -1))
    # an edge has two vertices: it begins or ends with the lower one
    return (lowest == 0 if around.shape[1] == 2 else after < before).astype(np.int8)


def neighbours(
    comm: Comm, cell: Cell, topology: np.ndarray, cell_ids: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the global number of the cell behind each facet of this rank's cells, (c, f), -1 outside.

    The second array (c, f) tells whether that cell lies on the same side of the facet as the cell itself.

    Facets meet at the rank that is home (see ``starts``) to their lowest vertex. Collective.

    Raises
    ------
    InputError
        On all ranks, if three cells share a facet.
    """
    keys = facet_keys(cell, topology)
    route = Route(comm, home(keys[:, 0], starts))
    owner_cells = route.forward(np.repeat(cell_ids, len(cell.facets)))
    received = route.forward(keys)
    sense = route.forward(senses(cell, topology))
    mate = agreed(comm, lambda: mates(received))
    # the mate may be a cell of another rank; its number has come along
    behind = np.where(mate >= 0, owner_cells[mate], -1)
    # periodic images of both ends of an edge may be one vertex, which has no sense
    single = (received[:, 1:] == received[:, :-1]).any(axis=1)
    folded = (mate >= 0) & (sense[mate] == sense) & ~single
    shape = len(topology), len(cell.facets)
    return route.back(behind).reshape(shape), route.back(folded).reshape(shape)


def find_facets(cell: Cell, vertices: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return for facets given by vertices (k, m) the pairs (cell, facet), (k, 2); -1 where no cell has it.

    A facet between two cells is given to the cell of lower number. ``vertices`` are those of all cells.
    """
    return find_parts(cell.facets, vertices, wanted)


def find_parts(parts: np.ndarray, vertices: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the same for other parts of cells, e.g. edges, given by their local vertices (f, m)."""
    # only cells with enough vertices among the wanted ones can have such a part
    near = np.flatnonzero(np.isin(vertices, wanted).sum(axis=1) >= parts.shape[1])
    keys = _keys(parts, vertices[near])
    order, new = sort_rows(np.concatenate([keys, np.sort(wanted, axis=1)]))
    # the sort is stable: within a group of equal rows the parts of cells come first, lowest cell first
    first = np.empty_like(order)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    first = first[len(keys) :]
    pairs, hit = np.full((len(wanted), 2), -1), first < len(keys)
    pairs[hit, 0] = near[first[hit] // len(parts)]
    pairs[hit, 1] = first[hit] % len(parts)
    return pairs


def opposite(cell: Cell, vertices: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the pairs (cell, facet) on the other side of facets ``pairs`` (k, 2); -1 where no cell is there.

    ``vertices`` are the topological ones of all cells.
    """
    wanted = np.take_along_axis(vertices[pairs[:, 0]], cell.facets[pairs[:, 1]], axis=1)
    near = np.flatnonzero(np.isin(vertices, wanted).sum(axis=1) >= cell.facets.shape[1])
    mate = mates(facet_keys(cell, vertices[near]))
    n = len(cell.facets)
    behind = mate[np.searchsorted(near, pairs[:, 0]) * n + pairs[:, 1]]
    found = np.stack([near[behind // n], behind % n], axis=1)
    return np.where(behind[:, None] >= 0, found, -1).astype(pairs.dtype)
