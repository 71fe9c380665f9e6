"""Reference cells agree with the programs whose numbers they carry, and with themselves."""

import numpy as np
import pytest

from plexus.mesh.cells import CELLS, gmsh_types, reference
from plexus.mesh.subdivision import child_shapes, subdivision


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_nodes_are_where_vtk_has_them(cell, degree):
    vtk = pytest.importorskip("vtkmodules.vtkCommonDataModel")
    generic = vtk.vtkGenericCell()
    generic.SetCellType(cell.vtk[degree])
    theirs = np.array(generic.GetRepresentativeCell().GetParametricCoords())
    theirs = theirs[: 3 * cell.n_nodes(degree)].reshape(-1, 3)
    assert np.allclose(theirs[:, : cell.dim], cell.nodes(degree))


@pytest.mark.parametrize("number", [n for n, (c, _) in gmsh_types().items() if c.dim > 0])
def test_gmsh_order_maps_to_ours(number):
    gmsh = pytest.importorskip("gmsh")
    gmsh.initialize()
    _, dim, _, n, coordinates, _ = gmsh.model.mesh.getElementProperties(number)
    gmsh.finalize()
    cell, degree = gmsh_types()[number]
    x = np.array(coordinates).reshape(n, dim)
    x = x if cell.simplex else (x + 1) / 2
    assert np.allclose(x[cell.gmsh_order[degree]], cell.nodes(degree))


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_facets_point_outward(cell):
    for facet in cell.facets:
        x = cell.vertices[facet]
        along = x[1:] - x[0]
        if cell.dim == 1:
            normal = 2 * x[0] - 1
        else:
            normal = np.array([along[0, 1], -along[0, 0]]) if cell.dim == 2 else np.cross(*along[:2])
        assert normal @ (x.mean(axis=0) - cell.vertices.mean(axis=0)) > 0


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_facet_nodes_follow_the_order_of_the_facets_own_type(cell):
    facet = reference(cell.facet_name)
    for nodes in cell.facet_nodes(2):
        x = cell.nodes(2)[nodes]
        for node, group in zip(x, facet.node_groups, strict=True):
            assert np.allclose(node, x[list(group)].mean(axis=0))


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_reversal_turns_the_cell_around(cell, degree):
    turned = cell.nodes(degree)[cell.reversal(degree)]
    at, to = cell.vertex_frames
    assert (np.linalg.det(turned[to] - turned[at][:, None]) < 0).all()
    assert np.array_equal(cell.reversal(degree)[cell.reversal(degree)], np.arange(cell.n_nodes(degree)))


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_children_fill_their_parent(cell):
    at, to = cell.vertex_frames
    for variant in subdivision(cell.name).children:
        x = cell.nodes(2)[variant]
        det = np.linalg.det(x[:, to] - x[:, at][:, :, None])
        assert (det > 0).all()
        assert np.isclose(det.mean(axis=1).sum(), 1)
    assert subdivision(cell.name).facets.shape[1:3] == (len(cell.facets), 2 ** (cell.dim - 1))


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_child_shapes_reproduce_the_nodes_of_children(cell):
    shapes, x = child_shapes(cell.name), cell.nodes(2)
    for shape, children in zip(shapes, subdivision(cell.name).children, strict=True):
        groups = [list(g) for g in cell.node_groups]
        for s, child in zip(shape, children, strict=True):
            expected = np.array([x[child][g].mean(axis=0) for g in groups])
            assert np.allclose(s @ x, expected)
            assert np.allclose(s @ x[:, 0] ** 2, expected[:, 0] ** 2)
