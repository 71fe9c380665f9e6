"""Basis functions: partition of unity, nodes, derivatives, polynomial exactness."""

import numpy as np
import pytest
from space_cases import CELLS, monomials

from plexus.mesh.cells import reference
from plexus.mesh.element import element
from plexus.spaces.quadrature import quadrature

CASES = [(cell, degree) for cell in CELLS for degree in (1, 2)]


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_basis_sums_to_one_and_is_nodal(cell, degree):
    shape = element(cell, degree)
    phi, dphi = shape.tabulate(quadrature(cell, 5).points)
    assert np.allclose(phi.sum(axis=1), 1, atol=1e-13)
    assert np.allclose(dphi.sum(axis=1), 0, atol=1e-12)
    at_nodes, _ = shape.tabulate(shape.nodes)
    assert np.allclose(at_nodes, np.eye(len(shape)), atol=1e-13)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_polynomials_of_the_degree_are_reproduced(cell, degree):
    shape = element(cell, degree)
    x = quadrature(cell, 4).points
    phi, dphi = shape.tabulate(x)
    for f, gradient in monomials(shape.dim, degree):
        nodal = f(shape.nodes)
        assert np.allclose(phi @ nodal, f(x), atol=1e-13)
        assert np.allclose(np.einsum("qnd,n->qd", dphi, nodal), gradient(x), atol=1e-12)


@pytest.mark.parametrize(("cell", "degree"), CASES)
def test_facet_nodes_lie_on_their_facet(cell, degree):
    shape, ref = element(cell, degree), reference(cell)
    for facet, nodes in zip(ref.facets, shape.facet_nodes, strict=True):
        corners = ref.vertices[facet]
        centre = corners.mean(axis=0)
        inward = ref.vertices.mean(axis=0) - centre
        tangents = corners[1:] - corners[0]
        normal = inward - tangents.T @ np.linalg.lstsq(tangents.T, inward, rcond=None)[0]
        on = np.abs((shape.nodes - centre) @ normal) < 1e-12
        assert sorted(nodes) == np.flatnonzero(on).tolist()


def test_other_degrees_are_refused():
    with pytest.raises(ValueError, match="degree 3"):
        element("triangle", 3)
