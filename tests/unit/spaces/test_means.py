"""Means over cells by factors of the nodal values: those of the points on bent cells, each mesh its own."""

import numpy as np
import pytest
from mpi4py import MPI
from space_cases import box, cubes

from plexus.devices.bridge import bridge
from plexus.protocols import Since
from plexus.spaces.lagrange import Space
from plexus.spaces.means import mean_gradients
from plexus.spaces.points import CellSet, Values, batches
from plexus.spaces.rule import cell_rule

COMM = MPI.COMM_WORLD
pytestmark = pytest.mark.mpi


def bent(cell: str, n: int, by: float) -> Space:
    """Return a vector space of degree 2 on a box with bent cells."""
    mesh = box(cell, cubes(cell, n), degree=2)
    mesh.points[:, 0] += by * np.sin(np.pi * mesh.points[:, 1])
    return Space(mesh, 2, mesh.dim)


def by_points(space: Space, u: np.ndarray) -> np.ndarray:
    """Return the mean gradients over all local cells by the points of the rule of degree 4, (C, m, d)."""
    cells, rule = CellSet(space.mesh, bridge("auto", "cpu")), cell_rule(space.mesh, 4)
    (p,) = batches(cells, rule, len(cells), 0.0, Values({"u": (space, u)}))
    return np.einsum("cq,cqad->cad", p.jxw / p.jxw.sum(1, keepdims=True), p.fields["u"].grad)


@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.parametrize("cell", ["triangle", "tetrahedron"])
def test_means_are_those_of_the_points(cell, backend):
    space = bent(cell, 3, 0.1)
    u = np.random.default_rng(COMM.rank).standard_normal((space.n_local, space.components))
    means = by_points(space, u)
    found = np.einsum("cna,cnd->cad", u[space.cell_nodes], mean_gradients(space))
    np.testing.assert_allclose(found, means, rtol=0, atol=1e-12 * abs(means).max())
    kind = bridge(backend, "cpu")
    for index in (None, slice(1, None), np.arange(space.mesh.n_cells)[::-2].copy()):
        cells = CellSet(space.mesh, kind, index)
        values = Values({"u": (space, kind.array(u))}, since=Since(0.0, {}))
        parts = batches(cells, cell_rule(space.mesh, 2), 3, 0.0, values)
        divergence = np.concatenate([kind.host(p.mean_divergence("u"))[:, 0] for p in parts])
        wanted = np.trace(means, axis1=1, axis2=2)[slice(None) if index is None else index]
        np.testing.assert_allclose(divergence, wanted, rtol=0, atol=1e-12 * abs(wanted).max())


def test_each_mesh_has_its_own():
    flat, round_ = bent("triangle", 3, 0.0), bent("triangle", 3, 0.1)
    assert mean_gradients(flat) is mean_gradients(flat.with_components(1))
    assert abs(mean_gradients(flat) - mean_gradients(round_)).max() > 0.1
