"""Nodes where fields may jump: the cells around a node keep one if facets that are not cut join them.

A node in the middle of a cut becomes two. One at its end, inside the body, stays one: around the end the
cells of both sides hang together. Where several cuts meet, a node becomes as many as there are parts. At
degree 2 the node between two ends may become two although these do not.
"""

from __future__ import annotations

import numpy as np

from plexus.fields.connected import components
from plexus.mesh.element import Element
from plexus.mesh.facets import facet_keys, mates, numbers
from plexus.mesh.mesh import Mesh


def split(mesh: Mesh, element: Element, raw: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Return the nodes of each cell (C, n) int32 with those on `Mesh.cut` split, and their number.

    Parts of a node keep the order of the nodes. What belongs to no own cell is not seen with all cells around
    it: there every cell gets nodes of its own, and the numbers of the owners tell which are one.

    ``raw`` (C, n) are the nodes without cuts, all below ``count``.
    """
    assert mesh.cut is not None
    cells, facets = mesh.cut.T
    marked = np.zeros(count, dtype=bool)
    marked[raw[cells[:, None], element.facet_nodes[facets]]] = True
    near = np.flatnonzero(marked[raw].any(axis=1))
    here = raw[near]
    part = np.zeros(raw.shape, dtype=np.int64)
    part[near] = np.where(marked[here], _parts(mesh, element, near, here), 0)
    inner = np.zeros(count, dtype=bool)
    inner[raw[: mesh.n_owned_cells]] = True
    outer = ~inner[raw]
    # a cell is a part of its own; the others are named by places in the list of near cells
    part[outer] = (part.max(initial=0) + 1 + np.arange(len(raw))[:, None] + 0 * raw)[outer]
    _, number = np.unique(raw.astype(np.int64) * (part.max(initial=0) + 1) + part, return_inverse=True)
    return number.reshape(raw.shape).astype(np.int32), int(number.max(initial=-1)) + 1


def _parts(mesh: Mesh, element: Element, near: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Return a number for each node of each near cell (N, n), equal where uncut facets join the cells."""
    assert mesh.cut is not None
    f = len(mesh.reference.facets)
    mate = mates(facet_keys(mesh.reference, mesh.vertex_ids[mesh.vertices[near]]))
    every = np.stack([np.repeat(near, f), np.tile(np.arange(f), len(near))], axis=1)
    whole = ~np.isin(numbers(every), numbers(mesh.cut))
    one = np.flatnonzero((mate > np.arange(len(mate))) & whole)
    rows, cols = (_on_facets(element, nodes, *divmod(side, f)) for side in (one, mate[one]))
    return components(rows, cols, nodes.size).reshape(nodes.shape)


def _on_facets(element: Element, nodes: np.ndarray, cells: np.ndarray, facets: np.ndarray) -> np.ndarray:
    """Return the places cell·n + i of the nodes of facets, in the order of the nodes, flat."""
    places = element.facet_nodes[facets]
    order = np.argsort(nodes[cells[:, None], places], axis=1)
    return (cells[:, None] * nodes.shape[1] + np.take_along_axis(places, order, axis=1)).ravel()
