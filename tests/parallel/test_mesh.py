"""Meshes on several ranks: valid, with complete ghosts, and the same as on one rank."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "mesh"))
from mesh_cases import (
    CELLS,
    DATA,
    FILES,
    area,
    assert_same,
    assert_valid,
    both,
    box,
    content,
    from_file,
    volume,
)

from plexus.errors import InputError
from plexus.mesh.build import finish, from_all, from_root
from plexus.mesh.convert import convert
from plexus.mesh.halo import Halo
from plexus.mesh.msh import read_msh
from plexus.mesh.refine import refine
from plexus.mesh.slices import Slices
from plexus.mesh.store import MeshFile
from plexus.spaces.lagrange import Space

pytestmark = pytest.mark.mpi
COMM = MPI.COMM_WORLD


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_box(cell, degree, periodic):
    mesh, alone = both(cell, degree, periodic)
    assert_same(assert_valid(mesh), content(alone))


@pytest.mark.parametrize("cell", ["line", "quadrilateral", "tetrahedron"])
def test_box_with_fewer_cubes_than_ranks_leaves_some_ranks_empty(cell):
    mesh, alone = both(cell, n=1)
    assert_same(assert_valid(mesh), content(alone))


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_gmsh_file_refined(name, again):
    times = again * (2 if name.endswith("1") else 1)
    mesh, alone = both(name, times, make=from_file)
    whole, cell = assert_valid(mesh), mesh.reference
    assert_same(whole, content(alone))
    depth = 0.5 if mesh.dim == 3 else 1
    assert np.isclose(volume(cell, whole), 2 * depth)
    assert np.isclose(volume(cell, whole, "west"), depth)
    floor, exterior = {1: (1, 2), 2: (2, 6), 3: (2, 7)}[mesh.dim]
    expected = {"floor": floor, "roof": floor, "middle": depth, "exterior": exterior}
    for boundary, size in expected.items():
        assert np.isclose(area(cell, whole, boundary), size), boundary


@pytest.mark.parametrize("times", [0, 1])
def test_periodic_file_has_no_exterior(times):
    mesh, alone = both("periodic", times, periodic=True, make=from_file)
    whole = assert_valid(mesh)
    assert_same(whole, content(alone))
    assert len(whole["boundary exterior"]) == 0
    assert np.isclose(area(mesh.reference, whole, "left"), 1)


def test_recursive_bisection_balances_the_ranks():
    mesh, alone = both("tetrahedron1", 2, method="bisection", make=from_file)
    assert_same(assert_valid(mesh), content(alone))
    share = mesh.n_owned_cells * COMM.size / mesh.n_global_cells
    assert 0.8 < share < 1.2


def test_graph_partition_balances_the_ranks():
    mesh, alone = both("tetrahedron1", 2, method="auto", make=from_file)
    assert_same(assert_valid(mesh), content(alone))
    share = mesh.n_owned_cells * COMM.size / mesh.n_global_cells
    assert 0.8 < share < 1.2


@pytest.mark.parametrize("name", ["line2", "triangle2", "tetrahedron1", "hexahedron2", "periodic"])
def test_converted_file_equals_direct_reading(name, shared_path):
    target = shared_path / "mesh.h5"
    if COMM.rank == 0:
        convert(DATA / f"{name}.msh", target, 0.5)
    COMM.Barrier()

    def read():
        with MeshFile(target) as file:
            return file.slices(COMM.rank, COMM.size)

    from_slices = finish(COMM, from_all(COMM, read), True, "bisection", 1)
    direct = finish(COMM, from_root(COMM, lambda: read_msh(DATA / f"{name}.msh", 0.5)), True, "bisection", 1)
    assert_same(assert_valid(from_slices), content(direct))


def test_an_unusable_file_is_an_error_on_all_ranks(shared_path):
    text = (DATA / "triangle1.msh").read_bytes()
    path = shared_path / "cut.msh"
    if COMM.rank == 0:
        path.write_bytes(text[: len(text) // 2])
    COMM.Barrier()
    with pytest.raises(InputError, match="truncated"):
        from_root(COMM, lambda: read_msh(path))


def single_cells(cells):
    """Triangles on a few points, as rank 0 would read them."""
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 2]], dtype=float)
    whole = Slices("triangle", 1, len(cells), len(points), np.array(cells), points, None, {}, {})
    return from_root(COMM, lambda: whole)


@pytest.mark.parametrize("method", ["auto", "bisection"])
def test_a_mesh_of_one_cell_leaves_the_other_ranks_empty(method):
    mesh = finish(COMM, single_cells([[0, 1, 2]]), False, method, 1)
    assert COMM.allreduce(mesh.n_owned_cells) == mesh.n_global_cells == 4
    assert len(content(mesh)["boundary exterior"]) == 6


def test_three_cells_at_one_facet_are_an_error_on_all_ranks():
    with pytest.raises(InputError, match="more than two cells"):
        finish(COMM, single_cells([[0, 1, 2], [1, 3, 2], [1, 4, 2]]), False, "bisection", 0)


def test_halo_carries_rows_there_and_back():
    mesh = box(COMM, "tetrahedron")
    n = mesh.n_owned_cells
    halo = Halo.from_ids(COMM, mesh.cell_ids[:n], mesh.cell_owner[n:], mesh.cell_ids[n:])
    rows = np.zeros((mesh.n_cells, 2))
    rows[:n] = mesh.cell_ids[:n, None] * [1, -1]
    halo.forward(rows)
    assert np.array_equal(rows, mesh.cell_ids[:, None] * [1, -1])
    copies = np.ones(mesh.n_cells)
    halo.reverse_add(copies)
    assert COMM.allreduce(copies[:n].sum()) == COMM.allreduce(mesh.n_cells)


def test_refining_keeps_points_on_the_curved_boundary():
    mesh = box(COMM, "quadrilateral", 2)
    bent = mesh.points.copy()
    bent[:, 0] = mesh.points[:, 0] + mesh.points[:, 1] ** 2 / 4
    mesh.points = bent
    fine = refine(refine(mesh))
    left = fine.boundaries["left"]
    nodes = np.take_along_axis(fine.cells[left[:, 0]], fine.reference.facet_nodes(2)[left[:, 1]], 1)
    x, y = fine.points[nodes.ravel()].T
    assert np.allclose(x, y**2 / 4)


def test_nodes_of_a_periodic_mesh_have_places_where_a_rank_sees_no_image():
    space = Space(box(COMM, "line", periodic=True, n=4 * COMM.size), 1)
    names = COMM.allgather(space.points[: space.n_owned, 0])
    assert np.allclose(np.sort(np.concatenate(names)), np.arange(4 * COMM.size) / (4 * COMM.size))
