"""Curves and points of a mesh: found, dealt out, refined, stored, and which nodes lie on them."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from plexus.mesh.build import finish, from_all, from_root
from plexus.mesh.convert import convert
from plexus.mesh.lattice import build_box
from plexus.mesh.msh import read_msh
from plexus.mesh.refine import refine
from plexus.mesh.select import edges_where, vertices_where
from plexus.mesh.store import MeshFile
from plexus.spaces.lagrange import Space

pytestmark = pytest.mark.mpi
COMM = MPI.COMM_WORLD
CUBE = Path(__file__).parents[1] / "cases" / "decks" / "23_support_on_an_edge" / "mesh.msh"
"""A cube of tetrahedra whose edge x = 0, y = 1 is called ``edge``."""


def places(space, name):
    """Return the positions of all nodes of a curve or point, ascending, on every rank."""
    nodes = space.facet_nodes(name)
    own = space.points[nodes[nodes < space.n_owned]]
    found = np.concatenate(COMM.allgather(own))
    return found[np.lexsort(found.T[::-1])]


def all_ghosts_told(space, name):
    """Return whether ranks agree on the nodes that they share."""
    marked = np.zeros(space.n_local, dtype=np.int8)
    marked[space.facet_nodes(name)] = 1
    told = marked.copy()
    space.halo.forward(told)
    return COMM.allreduce(np.array_equal(marked, told), MPI.LAND)


@pytest.mark.parametrize("cell", ["triangle", "quadrilateral", "tetrahedron", "hexahedron"])
@pytest.mark.parametrize("geometry", [1, 2])
@pytest.mark.parametrize("degree", [1, 2])
def test_refined_curves_and_points_keep_their_nodes(cell, geometry, degree):
    dim = 2 if cell in ("triangle", "quadrilateral") else 3
    ticks = [np.linspace(0, 1, geometry * n + 1) for n in (3, 2, 2)[:dim]]
    mesh = build_box(COMM, cell, geometry, ticks, (False,) * dim)
    bottom = {"y": lambda p: p["y"] == 0, "z": lambda p: (p["y"] == 0) & (p["z"] == 0)}["yz"[dim - 2]]
    mesh.skeleton = {
        "line": edges_where(mesh, bottom),
        "corner": vertices_where(mesh, lambda p: bottom(p) & (p["x"] == 1)),
    }
    for times in range(3):
        space = Space(mesh, degree)
        x = np.linspace(0, 1, 3 * 2**times * degree + 1)
        assert np.allclose(places(space, "line"), np.stack([x, *[0 * x] * (dim - 1)], axis=1))
        assert np.allclose(places(space, "corner"), [[1.0, *[0.0] * (dim - 1)]])
        assert all_ghosts_told(space, "line") and all_ghosts_told(space, "corner")
        mesh = refine(mesh)


@pytest.mark.parametrize("times", [0, 1])
def test_the_curve_of_a_gmsh_file_and_of_its_conversion(shared_path, times):
    if COMM.rank == 0:
        convert(CUBE, shared_path / "cube.h5")
    COMM.barrier()

    def stored():
        with MeshFile(shared_path / "cube.h5") as file:
            assert file.estimate().skeleton == ("edge",)
            return file.slices(COMM.rank, COMM.size)

    meshes = [
        finish(COMM, slices, False, "bisection", times)
        for slices in (from_root(COMM, lambda: read_msh(CUBE)), from_all(COMM, stored))
    ]
    direct, converted = (places(Space(mesh, 2), "edge") for mesh in meshes)
    assert np.allclose(direct[:, :2], [0.0, 1.0]) and np.allclose(direct, converted)
    assert np.allclose(direct[:, 2], np.linspace(0, 1, len(direct)), atol=0.05) and len(direct) > 5
