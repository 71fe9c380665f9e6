"""Reading field files of several partitions and steps, and sampling them at points."""

import os
import subprocess
import sys

import numpy as np
import pytest
from post_samples import analytic, annulus, mesh, run_folder, write_fields

import plexus_post
from plexus_post.readers.cells import KINDS, facet_kind, lattice, outer_facets
from plexus_post.readers.grid import match, merge

SHAPES = ["line", "line3", "triangle", "quad", "triangle6", "quad9", "hexahedron"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("ids", [False, True])
def test_partitions_are_merged_and_values_stay_with_their_points(tmp_path, shape, parts, ids):
    run = plexus_post.open(run_folder(tmp_path / "run", parts, shape, ids=ids))
    points, cells = mesh(shape)
    grid = run.mesh()
    assert len(grid.points) == len(points)
    assert grid.cells[shape].shape == cells.shape
    assert run.times.tolist() == [0.0, 1.0, 2.0]
    for step, time in enumerate(run.times):
        for name, values in analytic(run.mesh(step).points, time).items():
            np.testing.assert_allclose(run.field(name, step), values, rtol=1e-13)
    assert sorted(set(run.field("rank"))) == list(range(parts))


@pytest.mark.parametrize("shape", SHAPES)
def test_linear_fields_are_sampled_exactly_and_outside_is_nan(tmp_path, shape):
    run = plexus_post.open(run_folder(tmp_path / "run", 2, shape))
    if shape.startswith("line"):
        inside, outside = [[0.0, 0.0, 0.0], [0.77, 0.0, 0.0], [2.0, 0.0, 0.0]], [0.5, 1e-3, 0.0]
    elif shape == "hexahedron":
        inside, outside = [[0.31, 0.52, 0.77], [1.0, 0.0, 1.0]], [1.2, 0.5, 0.5]
    else:
        inside, outside = [[1.1, 0.9, 0.0], [0.0, 1.5, 0.0], [2.0, 0.0, 0.0]], [0.2, 0.2, 0.0]
    found = run.at([*inside, outside], time=1.1)
    for name, values in analytic(np.array(inside), 1.0).items():
        np.testing.assert_allclose(found[name][:-1], values, rtol=1e-9, atol=1e-12)
        assert np.isnan(found[name][-1]).all()


def test_reserved_room_for_later_steps_is_not_read(tmp_path):
    import h5py

    run_folder(tmp_path / "run")
    with h5py.File(tmp_path / "run/fields.vtkhdf", "r+") as file:
        file["VTKHDF/Steps"].attrs["NSteps"] = 2
    assert plexus_post.open(tmp_path / "run").times.tolist() == [0.0, 1.0]


def test_rolled_files_are_one_run(tmp_path):
    points, cells = annulus("quad")
    for number, times in enumerate([(0.0, 1.0), (2.0,)]):
        write_fields(tmp_path / f"fields_{number:04d}.vtkhdf", points, cells, "quad", 2, times)
    run = plexus_post.open(tmp_path)
    assert run.times.tolist() == [0.0, 1.0, 2.0]
    np.testing.assert_allclose(run.field("temperature", 2), analytic(run.mesh(2).points, 2.0)["temperature"])


def test_xarray_has_coordinates_and_units(tmp_path):
    array = plexus_post.open(run_folder(tmp_path / "run")).xarray("temperature")
    assert array.dims == ("time", "point")
    assert array.attrs["units"] == "K"
    assert float(array.sel(time=2.0).max()) == pytest.approx(346.64, abs=0.01)


def test_periodic_images_with_one_number_stay_apart():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [2, 0, 0]])
    first, new = merge(points, np.array([0, 0, 1, 1]), np.array([7, 8, 8, 7]))
    assert len(first) == 3
    assert new[1] == new[2]
    assert new[0] != new[3]


def test_coincident_points_of_one_part_stay_apart():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    first, new = merge(points, np.array([0, 0, 0, 1, 1]), None)
    assert len(first) == 3
    assert new.tolist() == [0, 1, 2, 1, 2]


def test_points_match_whatever_their_order():
    rng = np.random.default_rng(3)
    a = rng.random((500, 3))
    order = rng.permutation(500)
    b = a[order] + 1e-12 * rng.standard_normal((500, 3))
    assert (order[match(a, b, 1e-9)] == np.arange(500)).all()
    assert match(a + 1.0, b, 1e-9).max() == -1


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.dim], ids=lambda k: k.name)
def test_shape_functions_are_one_at_their_node_and_sum_to_one(kind):
    values, _ = kind.shape(kind.reference)
    np.testing.assert_allclose(values, np.eye(kind.nodes), atol=1e-12)
    inner = kind.reference.mean(axis=0, keepdims=True)
    values, slopes = kind.shape(inner)
    assert values.sum() == pytest.approx(1)
    np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.einsum("knd,ne->de", slopes, kind.reference), np.eye(kind.dim), atol=1e-12)


def test_facets_of_solid_cells_are_shapes_of_their_own():
    for kind in (k for k in KINDS.values() if k.dim == 3):
        facets, owner = outer_facets(kind, np.arange(kind.nodes)[None])
        assert len(facets) == len(kind.facets)
        assert set(owner) == {0}
        face = facet_kind(kind)
        for nodes in facets:
            corners = len(nodes) if face.name == face.base else {6: 3, 8: 4, 9: 4}[len(nodes)]
            mid = kind.reference[nodes[corners : 2 * corners]]
            ends = kind.reference[nodes[:corners]]
            if len(mid):
                np.testing.assert_allclose(mid, (ends + np.roll(ends, -1, axis=0)) / 2)


@pytest.mark.parametrize("name", ["triangle", "quad"])
def test_lattice_covers_its_cell_once(name):
    kind = next(k for k in KINDS.values() if k.name == name)
    points, parts = lattice(kind, 4)
    a, b, c = points[parts].transpose(1, 0, 2)
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(0.5 if name == "triangle" else 1)


@pytest.mark.parametrize("force", ["", "1"])
def test_results_are_read_without_mpi_petsc_or_torch(tmp_path, force):
    run_folder(tmp_path / "run")
    code = (
        "import sys, plexus_post; run = plexus_post.open(sys.argv[1]); run.field('temperature'); run.summary;"
        "heavy = ('petsc4py', 'torch', 'matplotlib', 'pandas', 'xarray', 'pyvista');"
        "bad = [m for m in heavy if m in sys.modules];"
        "assert not bad, bad; assert sys.argv[2] or 'mpi4py' not in sys.modules"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "H5PY"))}
    env |= {"H5PY_ALWAYS_USE_MPI": "1"} if force else {}
    env |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run"), force], check=True, env=env, timeout=900
    )
