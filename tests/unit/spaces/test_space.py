"""Numbers of nodes, their places, periodicity, boundaries, interpolation, null spaces (any rank count)."""

import numpy as np
import pytest
from space_cases import CELLS, box, cubes, far, monomials

from plexus.errors import InputError
from plexus.protocols.facets import Facets
from plexus.spaces.evaluate import Evaluator
from plexus.spaces.lagrange import Space

CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]


def strain_energy(space, u):
    def density(p):
        g = p.fields["u"].grad
        return ((g + g.swapaxes(2, 3)) ** 2).sum(axis=(2, 3))

    return Evaluator(space.mesh).integrate(density, 0.0, {"u": (space, u)})


def lattice_count(cell, degree, n, periodic):
    return int(np.prod([degree * k + (not p) for k, p in zip(cubes(cell, n), periodic, strict=True)]))


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_number_of_nodes_follows_the_lattice(cell, degree):
    aperiodic = (False,) * len(cubes(cell, 4))
    space = Space(box(cell, cubes(cell, 4)), degree)
    assert space.n_global == lattice_count(cell, degree, 4, aperiodic)
    assert space.cell_nodes.min() == 0
    assert space.cell_nodes.max() < space.n_local


@pytest.mark.parametrize(("cell", "degree"), CASES)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_periodic_axes_close(cell, degree, axes):
    d = len(cubes(cell, 3))
    periodic = tuple(a < axes for a in range(d))
    space = Space(box(cell, cubes(cell, 3), periodic), degree)
    assert space.n_global == lattice_count(cell, degree, 3, periodic)
    # one copy of every node: along a periodic axis no coordinate reaches the far side
    assert (space.points[:, np.array(periodic)] < 1 - 1e-9).all()


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_node_coordinates_agree_with_every_cell(cell, degree):
    mesh = box(cell, cubes(cell, 3), degree=2)
    space = Space(mesh, degree)
    corners = mesh.points[mesh.vertices]
    expected = np.stack([corners[:, list(g)].mean(axis=1) for g in space.element.groups], axis=1)
    assert np.allclose(space.points[space.cell_nodes], expected, atol=1e-14)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_ghosts_carry_the_numbers_of_their_owners(cell, degree):
    space = Space(box(cell, cubes(cell, 4)), degree)
    number = np.where(np.arange(space.n_local) < space.n_owned, space.node_global, -1)
    points = space.points.copy()
    points[space.n_owned :] = np.nan
    space.halo.forward(number)
    space.halo.forward(points)
    assert np.array_equal(number, space.node_global)
    assert np.array_equal(points, space.points)
    assert len(np.unique(space.node_global)) == space.n_local


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_boundary_nodes(cell, degree):
    space = Space(box(cell, cubes(cell, 4)), degree)
    assert np.array_equal(space.facet_nodes("left"), np.flatnonzero(space.points[:, 0] < 1e-12))
    both = space.facet_nodes(Facets(("left", far(cell))))
    on = (space.points[:, 0] < 1e-12) | (space.points[:, :2][:, -1] > 1 - 1e-12)
    assert np.array_equal(both, np.flatnonzero(on))


def test_unknown_boundary_names_the_known_ones():
    space = Space(box("triangle", (2, 2)), 1)
    with pytest.raises(InputError, match=r"no boundary 'lft'.*left"):
        space.facet_nodes("lft")


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_interpolation(cell, degree):
    space = Space(box(cell, cubes(cell, 3)), degree)
    for f, _ in monomials(space.mesh.dim, degree):
        assert np.array_equal(space.interpolate(f)[:, 0], f(space.points))
    vector = space.with_components(2)
    two = space.points[:, [0, -1]]
    assert np.array_equal(vector.interpolate(lambda x: x[:, [0, -1]]), two)
    assert np.array_equal(vector.interpolate(lambda x: 3.0), np.full((space.n_local, 2), 3.0))


@pytest.mark.parametrize("cell", ["triangle", "hexahedron"])
def test_rigid_modes_are_orthonormal_and_rigid(cell):
    d = len(cubes(cell, 3))
    space = Space(box(cell, cubes(cell, 3)), 1, d)
    vectors = space.near_nullspace("rigid").getVecs()
    assert len(vectors) == {2: 3, 3: 6}[d]
    gram = np.array([[a.dot(b) for b in vectors] for a in vectors])
    assert np.allclose(gram, np.eye(len(vectors)), atol=1e-12)
    for v in vectors:
        u = np.zeros((space.n_local, d))
        u[: space.n_owned] = v.getArray().reshape(-1, d)
        space.halo.forward(u)
        assert strain_energy(space, u) < 1e-24


def test_constant_modes_of_a_vector():
    space = Space(box("triangle", (3, 3)), 1, 2)
    vectors = space.near_nullspace("constant").getVecs()
    assert [v.norm() for v in vectors] == pytest.approx([1.0, 1.0])
    assert vectors[0].dot(vectors[1]) == 0.0
