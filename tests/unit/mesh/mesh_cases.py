"""What any mesh has to satisfy, and its content in a form that does not depend on the rank count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI

from plexus.mesh.build import finish, from_root
from plexus.mesh.cells import Cell
from plexus.mesh.lattice import build_box
from plexus.mesh.mesh import EXTERIOR, Mesh, corner_volumes
from plexus.mesh.msh import read_msh

CELLS = ("line", "triangle", "quadrilateral", "tetrahedron", "hexahedron")
DATA = Path(__file__).parent / "data"
FILES = [f"{cell}{degree}" for cell in CELLS for degree in (1, 2)]
DIM = {"line": 1, "triangle": 2, "quadrilateral": 2, "tetrahedron": 3, "hexahedron": 3}


def box(comm, cell, degree=1, periodic=False, n=4):
    counts = (n, n + 1, 3)[: DIM[cell]]
    ticks = [np.linspace(0, 1 + a, degree * k + 1) for a, k in enumerate(counts)]
    return build_box(comm, cell, degree, ticks, (periodic,) * len(counts))


def from_file(comm, name, times=0, periodic=False, method="bisection"):
    slices = from_root(comm, lambda: read_msh(DATA / f"{name}.msh"))
    return finish(comm, slices, periodic, method, times)


def content(mesh: Mesh) -> dict[str, np.ndarray]:
    """Return the whole mesh, cells by ascending id, names as rows of global ids; one collective call."""
    n = mesh.n_owned_cells
    mine = {
        "cell ids": mesh.cell_ids[:n], "owner": np.full(n, mesh.comm.rank), "x": mesh.points[mesh.cells[:n]],
        "vertices": mesh.vertex_ids[mesh.cells[:n]], "points": mesh.point_ids[mesh.cells[:n]],
    }  # fmt: skip
    for name, cells in mesh.regions.items():
        mine[f"region {name}"] = mesh.cell_ids[cells[cells < n]]
    for name, pairs in mesh.boundaries.items():
        own = pairs[pairs[:, 0] < n]
        mine[f"boundary {name}"] = np.stack([mesh.cell_ids[own[:, 0]], own[:, 1]], axis=1)
    ranks = mesh.comm.allgather(mine)
    whole = {key: np.concatenate([r[key] for r in ranks]) for key in mine}
    order = np.argsort(whole["cell ids"])
    for key, rows in whole.items():
        named = key.startswith(("region", "boundary"))
        whole[key] = rows[np.lexsort(np.atleast_2d(rows.T)[::-1])] if named else rows[order]
    return whole


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if key == "owner":
            continue
        if key == "x":
            assert np.allclose(value, other[key], rtol=1e-13, atol=1e-13)
        else:
            assert np.array_equal(value, other[key]), key


def assert_valid(mesh: Mesh) -> dict[str, np.ndarray]:
    """Check ownership, ghosts, orientation, names and facets; return the content."""
    whole, n, nv = content(mesh), mesh.n_owned_cells, mesh.reference.n_vertices
    assert np.array_equal(whole["cell ids"], np.arange(mesh.n_global_cells))
    assert np.array_equal(whole["owner"][mesh.cell_ids], mesh.cell_owner)
    assert (mesh.cell_owner[:n] == mesh.comm.rank).all() and (mesh.cell_owner[n:] != mesh.comm.rank).all()
    near = np.isin(whole["vertices"][:, :nv], mesh.vertex_ids[mesh.vertices[:n]]).any(axis=1)
    assert np.array_equal(np.sort(mesh.cell_ids), np.flatnonzero(near))
    assert (mesh.corner_volumes() > 0).all()
    assert len(np.unique(mesh.point_ids)) == len(mesh.points) == len(np.unique(mesh.cells))
    assert np.allclose(mesh.points[mesh.cells], whole["x"][mesh.cell_ids], atol=1e-13)
    _assert_names_complete(mesh, whole)
    _assert_exterior(mesh, whole)
    return whole


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


def euler(cell: Cell, whole: dict[str, np.ndarray]) -> int:
    """Return vertices − edges + faces (− cells)."""
    vertices = whole["vertices"][:, : cell.n_vertices]

    def count(local):
        rows = np.sort(vertices[:, local].reshape(-1, local.shape[1]), axis=1)
        return len(np.unique(rows, axis=0))

    numbers = [len(np.unique(vertices)), count(cell.edges), count(cell.faces), len(vertices)]
    return sum((-1) ** i * k for i, k in enumerate(numbers[: cell.dim + 1]))


def volume(cell: Cell, whole: dict[str, np.ndarray], region: str = "") -> float:
    """Return the volume of all cells or of a region, for straight cells."""
    x = whole["x"][:, : cell.n_vertices][whole[f"region {region}"] if region else slice(None)]
    return float(corner_volumes(cell, x).mean(axis=1).sum() * cell.volume)


def area(cell: Cell, whole: dict[str, np.ndarray], name: str) -> float:
    """Return the measure of a boundary made of straight or flat facets."""
    cells, facets = whole[f"boundary {name}"].T
    if cell.dim == 1:
        return float(len(cells))
    x = np.take_along_axis(whole["x"][cells], cell.facets[facets][..., None], axis=1)
    if cell.dim == 2:
        return float(np.linalg.norm(x[:, 1] - x[:, 0], axis=1).sum())
    fans = [np.cross(x[:, i] - x[:, 0], x[:, i + 1] - x[:, 0]) / 2 for i in range(1, x.shape[1] - 1)]
    return float(sum(np.linalg.norm(f, axis=1).sum() for f in fans))


def both(*args, make=box, **kwargs):
    """Return the mesh on all ranks and the same one on this rank alone."""
    return make(MPI.COMM_WORLD, *args, **kwargs), make(MPI.COMM_SELF, *args, **kwargs)
