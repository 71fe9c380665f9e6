"""Uniform refinement of a distributed mesh: every cell falls into 2^d, names and owners are inherited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plexus.mesh.elevate import Nodes, elevate
from plexus.mesh.mesh import Mesh
from plexus.mesh.order import first_use
from plexus.mesh.subdivision import child_shapes, subdivision, variants


def refine(mesh: Mesh) -> Mesh:
    """Return the mesh with every cell split in 2^d; child k of cell c has the id c·2^d + k. Collective.

    Points keep their ids, new ones continue them in an order that does not depend on the partition.
    Second-order geometry is kept: children lie on the parents' curved map.
    """
    cell, tables = mesh.reference, subdivision(mesh.cell)
    # children have their vertices at the second-order nodes of their parents
    nodes, x = _second_order(mesh)
    variant = variants(mesh.cell, x[nodes.cells])
    n_children, n_vertices = tables.children.shape[1:]
    # (C, 2^d·v) nodes of all children of a cell in a row, by the variant of the cell
    picks = tables.children[variant].reshape(len(variant), n_children * n_vertices)
    children = np.take_along_axis(nodes.cells, picks, axis=1)
    linear = Nodes(children.reshape(-1, n_vertices), nodes.point_ids, nodes.vertex_ids)
    cell_ids = (mesh.cell_ids[:, None] * n_children + np.arange(n_children)).ravel()
    n_owned = mesh.n_owned_cells * n_children
    if mesh.geometry_degree == 2:
        fine = elevate(mesh.comm, cell, linear, cell_ids)
        x = _on_parents(mesh, nodes, x, variant, fine)
    else:
        fine = linear
    # a ghost parent has children that are too far away to be ghosts
    kept = _near(linear, n_owned)
    used, cells = first_use(fine.cells[kept])
    # place: child in the order of parents -> local cell, −1 where dropped
    place = np.full(len(cell_ids), -1)
    place[kept] = np.arange(len(kept))

    def facets(pairs: np.ndarray) -> np.ndarray:
        return _child_facets(pairs, variant, tables.facets, n_children, place)

    return replace(
        mesh, points=x[used], cells=cells, n_owned_cells=n_owned,
        point_ids=fine.point_ids[used], vertex_ids=fine.vertex_ids[used],
        cell_ids=cell_ids[kept], cell_owner=np.repeat(mesh.cell_owner, n_children)[kept],
        n_global_cells=mesh.n_global_cells * n_children, outside=facets(mesh.outside),
        regions={name: _child_cells(c, n_children, place) for name, c in mesh.regions.items()},
        boundaries={name: facets(pairs) for name, pairs in mesh.boundaries.items()},
        skeleton={name: _child_entities(s, variant, tables.entities, n_children, place)
                  for name, s in mesh.skeleton.items()},
    )  # fmt: skip


def _second_order(mesh: Mesh) -> tuple[Nodes, np.ndarray]:
    """Return the second-order nodes of the cells and their coordinates. Collective."""
    given = Nodes(mesh.cells.astype(np.int64), mesh.point_ids, mesh.vertex_ids)
    if mesh.geometry_degree == 2:
        return given, mesh.points
    nodes = elevate(mesh.comm, mesh.reference, given, mesh.cell_ids)
    x = np.empty((len(nodes.point_ids), mesh.dim))
    # a straight cell: the node is the mean of the vertices of its edge, face or cell
    for column, group in zip(nodes.cells.T, mesh.reference.node_groups, strict=True):
        x[column] = mesh.points[mesh.cells[:, list(group)]].mean(axis=1)
    return nodes, x


def _on_parents(mesh: Mesh, nodes: Nodes, x: np.ndarray, variant: np.ndarray, fine: Nodes) -> np.ndarray:
    """Return the coordinates of the children's nodes on the parents' second-order map, (N, dim)."""
    shapes = child_shapes(mesh.cell)
    result = np.empty((len(fine.point_ids), mesh.dim))
    children = fine.cells.reshape(len(variant), *shapes.shape[1:3])
    for w, shape in enumerate(shapes):
        of = variant == w
        result[children[of]] = np.einsum("kij,cjd->ckid", shape, x[nodes.cells[of]])
    # vertices of children are nodes of parents: copied, not recomputed
    result[: len(x)] = x
    return result


def _near(linear: Nodes, n_owned: int) -> np.ndarray:
    """Return all owned children and those ghost children that share a topological vertex with one."""
    _, topology = np.unique(linear.vertex_ids, return_inverse=True)
    vertices = topology[linear.cells]
    touched = np.zeros(len(linear.vertex_ids), dtype=bool)
    touched[vertices[:n_owned].ravel()] = True
    near = np.flatnonzero(touched[vertices[n_owned:]].any(axis=1))
    return np.concatenate([np.arange(n_owned), n_owned + near])


def _child_cells(cells: np.ndarray, n_children: int, place: np.ndarray) -> np.ndarray:
    children = place[(cells.astype(np.int64)[:, None] * n_children + np.arange(n_children)).ravel()]
    return children[children >= 0].astype(np.int32)


def _child_facets(
    pairs: np.ndarray, variant: np.ndarray, table: np.ndarray, n_children: int, place: np.ndarray
) -> np.ndarray:
    cells, facets = pairs.astype(np.int64).T
    # (k, 2^(d-1), 2): pairs (child, facet of the child) that cover the facet
    found = table[variant[cells], facets]
    return _of_children(cells, found, n_children, place)


def _child_entities(
    pairs: np.ndarray, variant: np.ndarray, table: np.ndarray, n_children: int, place: np.ndarray
) -> np.ndarray:
    cells, entities = pairs.astype(np.int64).T
    # (k, 2, 2): pairs (child, entity of the child); a vertex has one child, told twice
    found = _of_children(cells, table[variant[cells], entities], n_children, place)
    return np.unique(found, axis=0)


def _of_children(cells: np.ndarray, found: np.ndarray, n_children: int, place: np.ndarray) -> np.ndarray:
    """Return the pairs of local children among ``found`` (k, s, 2), ascending."""
    children = place[cells[:, None] * n_children + found[..., 0]].ravel()
    result = np.stack([children, found[..., 1].ravel()], axis=1)[children >= 0]
    return result[np.lexsort(result.T[::-1])].astype(np.int32)
