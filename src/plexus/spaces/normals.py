"""Outward normals of a boundary at its nodes, one for every smooth surface that meets in a node.

    n = Σ_f A_f n_f / |Σ_f A_f n_f|

over the facets f around the node, with their area A_f and their normal n_f at the node. Facets whose normals
differ by more than an angle belong to surfaces of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI

from plexus.devices.bridge import Bridge
from plexus.mesh.mesh import Mesh
from plexus.protocols.facets import Facets
from plexus.spaces.evaluate import facet_node_rule
from plexus.spaces.facets import FacetSet, facet_sets
from plexus.spaces.lagrange import Space
from plexus.spaces.names import boundary_facets
from plexus.spaces.points import PointBatch, Values
from plexus.spaces.sides import same

CORNER = np.cos(np.radians(30.0))
"""Facets whose normals differ by more than 30 degrees form an edge or a corner."""
FLAT = 1e-6
"""Difference between the normals of a plane."""


@dataclass(frozen=True, eq=False)
class NodeNormals:
    """Normals of one boundary at the owned nodes.

    ``layers`` are pairs (nodes (k,), unit normals (k, d)): the first has all nodes of the boundary, each
    further one those where another smooth surface meets. ``plane`` says that all facets have one normal,
    ``inside`` that some lie inside the body, where a normal has no direction. ``bend`` is the largest angle
    [rad] between a facet and the normal of its node, on any rank.
    """

    layers: list[tuple[np.ndarray, np.ndarray]]
    plane: bool
    bend: float
    inside: bool


def nodal_normals(space: Space, facets: FacetSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nodes of each facet of a set (f, q), its normals there (f, q, d), and its area (f,)."""
    rule = facet_node_rule(space.mesh, facets, space.degree)
    whole = slice(0, len(facets.cells))
    here = PointBatch(facets.cells, whole, rule, 0.0, Values.present({}))
    area = PointBatch(facets.cells, whole, facets.rule, 0.0, Values.present({})).jxw.sum(axis=1)
    nodes = facets.cells.nodes(space)[:, space.element.facet_nodes[facets.facet]]
    return nodes, here.normal, area


def node_normals(space: Space, where: str | Facets) -> NodeNormals:
    """Return the normals of a boundary at the nodes that this rank owns. Collective."""
    pairs = boundary_facets(space.mesh, where)
    every = np.ones(space.mesh.n_cells, dtype=bool)
    found = [_flat(*nodal_normals(space, f)) for f in facet_sets(space.mesh, pairs, 2, Bridge(), every)]
    dim = space.mesh.dim
    empty = np.empty(0, dtype=np.int64), np.empty((0, dim)), np.empty(0)
    nodes, n, size = (np.concatenate(rows) for rows in zip(empty, *found, strict=True))
    # of one plane the largest and smallest entries agree over all ranks
    extremes = np.concatenate([n.max(axis=0, initial=-2.0), -n.min(axis=0, initial=2.0)])
    space.comm.Allreduce(MPI.IN_PLACE, extremes, MPI.MAX)
    plane = bool((extremes[:dim] + extremes[dim:] < FLAT).all())
    own = nodes < space.n_owned
    layers, bend = [], 0.0
    nodes, n, size = nodes[own], n[own], size[own]
    while len(nodes):
        here, place = np.unique(nodes, return_inverse=True)
        near = _of_first(nodes, n, here, place)
        total = np.zeros((len(here), dim))
        np.add.at(total, place[near], size[near, None] * n[near])
        total /= np.linalg.norm(total, axis=1, keepdims=True)
        layers.append((here, total))
        cosine = np.einsum("fi,fi->f", n[near], total[place[near]]).min(initial=1.0)
        bend = max(bend, float(np.arccos(np.clip(cosine, -1.0, 1.0))))
        nodes, n, size = nodes[~near], n[~near], size[~near]
    bend, inner = (
        space.comm.allreduce(bend, MPI.MAX),
        space.comm.allreduce(_inner(space.mesh, pairs), MPI.LOR),
    )
    return NodeNormals(layers, plane, float(bend), inner)


def _inner(mesh: Mesh, pairs: np.ndarray) -> bool:
    """Return whether a cell of this rank has a facet among ``pairs`` with another cell behind it."""
    return not same(pairs[pairs[:, 0] < mesh.n_owned_cells], mesh.outside).all()


def _of_first(nodes: np.ndarray, n: np.ndarray, here: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return which facets form one smooth surface with the first facet of their node, (f,) bool."""
    _, first = np.unique(nodes, return_index=True)
    near = np.zeros(len(nodes), dtype=bool)
    near[first] = True
    # neighbours of neighbours belong to it: others are compared with the mean of those found so far
    for _ in range(len(nodes)):
        mean = np.zeros((len(here), n.shape[1]))
        np.add.at(mean, place[near], n[near])
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        more = near | (np.einsum("fi,fi->f", n, mean[place]) > CORNER)
        if (more == near).all():
            break
        near = more
    return near


def _flat(nodes: np.ndarray, n: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return node, normal and area of the facet for each node of each facet."""
    return nodes.ravel(), n.reshape(-1, n.shape[-1]), np.repeat(area, nodes.shape[1])
