"""What any mesh has to satisfy, and its content in a form that does not depend on the rank count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI

from plexus.mesh.build import finish, from_root
from plexus.mesh.lattice import build_box
from plexus.mesh.mesh import EXTERIOR, Mesh
from plexus.mesh.msh import read_msh

CELLS = ("triangle", "quadrilateral", "tetrahedron", "hexahedron")
DATA = Path(__file__).parent / "data"
FILES = [f"{cell}{degree}" for cell in CELLS for degree in (1, 2)]


def box(comm, cell, degree=1, periodic=False, n=4):
    counts = (n, n + 1) if cell in CELLS[:2] else (n, n + 1, 3)
    ticks = [np.linspace(0, 1 + a, degree * k + 1) for a, k in enumerate(counts)]
    return build_box(comm, cell, degree, ticks, (periodic,) * len(counts))


def from_file(comm, name, times=0, periodic=False, method="auto"):
    slices = from_root(comm, lambda: read_msh(DATA / f"{name}.msh"))
    return finish(comm, slices, periodic, method, times)


def gathered(mesh, array):
    return np.concatenate(mesh.comm.allgather(array))


def content(mesh: Mesh) -> dict[str, np.ndarray]:
    """Return the whole mesh, cells by ascending id, names as rows of global ids."""
    own = slice(mesh.n_owned_cells)
    cell_ids = gathered(mesh, mesh.cell_ids[own])
    order = np.argsort(cell_ids)
    vertex_ids, point_ids = mesh.vertex_ids[mesh.cells[own]], mesh.point_ids[mesh.cells[own]]
    result = {
        "cell ids": cell_ids[order], "vertices": gathered(mesh, vertex_ids)[order],
        "points": gathered(mesh, point_ids)[order], "x": gathered(mesh, mesh.points[mesh.cells[own]])[order],
    }  # fmt: skip
    for name, cells in mesh.regions.items():
        result[f"region {name}"] = np.sort(gathered(mesh, mesh.cell_ids[cells[cells < mesh.n_owned_cells]]))
    for name, pairs in mesh.boundaries.items():
        mine = pairs[pairs[:, 0] < mesh.n_owned_cells]
        rows = gathered(mesh, np.stack([mesh.cell_ids[mine[:, 0]], mine[:, 1]], axis=1))
        result[f"boundary {name}"] = rows[np.lexsort(rows.T[::-1])]
    return result


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if key == "x":
            assert np.allclose(value, other[key], rtol=1e-13, atol=1e-13)
        else:
            assert np.array_equal(value, other[key]), key


def assert_valid(mesh: Mesh) -> None:
    """Check ownership, ghosts, orientation, names and facets; every rank sees the whole mesh."""
    whole, n, nv = content(mesh), mesh.n_owned_cells, mesh.reference.n_vertices
    assert np.array_equal(whole["cell ids"], np.arange(mesh.n_global_cells))
    owner = np.empty(mesh.n_global_cells, dtype=int)
    owner[gathered(mesh, mesh.cell_ids[:n])] = gathered(mesh, np.full(n, mesh.comm.rank))
    assert np.array_equal(owner[mesh.cell_ids], mesh.cell_owner)
    assert (mesh.cell_owner[:n] == mesh.comm.rank).all() and (mesh.cell_owner[n:] != mesh.comm.rank).all()
    mine = mesh.vertex_ids[mesh.vertices[:n]]
    near = np.isin(whole["vertices"][:, :nv], mine).any(axis=1)
    assert np.array_equal(np.sort(mesh.cell_ids), np.flatnonzero(near))
    assert (mesh.corner_volumes() > 0).all()
    assert len(np.unique(mesh.point_ids)) == len(mesh.points) == len(np.unique(mesh.cells))
    assert np.allclose(mesh.points[mesh.cells], whole["x"][mesh.cell_ids], atol=1e-13)
    _assert_names_complete(mesh, whole)
    _assert_exterior(mesh, whole)


def _assert_names_complete(mesh, whole):
    """Names of ghosts are there as well: those that the owners give to all cells this rank holds."""
    for name, cells in mesh.regions.items():
        expected = np.intersect1d(whole[f"region {name}"], mesh.cell_ids)
        assert np.array_equal(np.sort(mesh.cell_ids[cells]), expected)
    for name, pairs in mesh.boundaries.items():
        rows = np.stack([mesh.cell_ids[pairs[:, 0]], pairs[:, 1]], axis=1)
        expected = whole[f"boundary {name}"]
        expected = expected[np.isin(expected[:, 0], mesh.cell_ids)]
        assert np.array_equal(rows[np.lexsort(rows.T[::-1])], expected), name


def _assert_exterior(mesh, whole):
    """The exterior is exactly the facets that occur once."""
    facets = np.sort(whole["vertices"][:, mesh.reference.facets], axis=2)
    _, inverse, count = np.unique(
        facets.reshape(-1, facets.shape[2]), axis=0, return_inverse=True, return_counts=True
    )
    assert count.max() <= 2
    alone = np.argwhere(count[inverse.ravel()].reshape(facets.shape[:2]) == 1)
    assert np.array_equal(alone, whole[f"boundary {EXTERIOR}"])


def euler(mesh) -> int:
    """Return vertices − edges + faces (− cells)."""
    vertices = content(mesh)["vertices"][:, : mesh.reference.n_vertices]

    def count(local):
        rows = np.sort(vertices[:, local].reshape(-1, local.shape[1]), axis=1)
        return len(np.unique(rows, axis=0))

    cell = mesh.reference
    numbers = [len(np.unique(vertices)), count(cell.edges), count(cell.faces), mesh.n_global_cells]
    return sum((-1) ** i * k for i, k in enumerate(numbers[: mesh.dim + 1]))


def volume(mesh, cells=slice(None)) -> float:
    """Return the volume of the linear cells among the given local ones that are owned."""
    det = mesh.corner_volumes()[: mesh.n_owned_cells].mean(axis=1) * mesh.reference.volume
    chosen = np.zeros(mesh.n_cells, dtype=bool)
    chosen[cells] = True
    return mesh.comm.allreduce(float(det[chosen[: mesh.n_owned_cells]].sum()))


def area(mesh, name) -> float:
    """Return the measure of a boundary made of straight or flat facets."""
    pairs = mesh.boundaries[name]
    pairs = pairs[pairs[:, 0] < mesh.n_owned_cells]
    x = mesh.points[np.take_along_axis(mesh.cells[pairs[:, 0]], mesh.reference.facets[pairs[:, 1]], 1)]
    if mesh.dim == 2:
        sizes = np.linalg.norm(x[:, 1] - x[:, 0], axis=1)
    else:
        fans = [np.cross(x[:, i] - x[:, 0], x[:, i + 1] - x[:, 0]) / 2 for i in range(1, x.shape[1] - 1)]
        sizes = np.sum([np.linalg.norm(f, axis=1) for f in fans], axis=0)
    return mesh.comm.allreduce(float(sizes.sum()))


def both(*args, make=box, **kwargs):
    """Return the mesh on all ranks and the same one on this rank alone."""
    return make(MPI.COMM_WORLD, *args, **kwargs), make(MPI.COMM_SELF, *args, **kwargs)
