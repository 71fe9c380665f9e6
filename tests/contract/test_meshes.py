"""What every mesh source promises: what it says before it is built, and that ranks share it without loss."""

import math

import numpy as np
import pytest
from hosts import mesh_block

from plexus import registry
from plexus.deck.context import Context
from plexus.mesh.mesh import EXTERIOR
from plexus.protocols import CellSource, GridSource, PeriodicSource

MEMBERS = registry.names("mesh")
members = pytest.mark.parametrize("name", MEMBERS)


def providing(protocol):
    return [n for n in MEMBERS if issubclass(registry.component("mesh", n).cls, protocol)]


def source(name, folder):
    """Return the source of the example."""
    component = registry.component("mesh", name)
    given = {k: v for k, v in mesh_block(name, folder).items() if k != "type"}
    return component.cls(component.params.model_validate(given, context=Context(folder=folder)))


@members
def test_gives_cells_or_a_grid(name):
    assert any(name in providing(p) for p in (CellSource, GridSource, PeriodicSource))


@pytest.mark.parametrize("name", providing(CellSource))
def test_estimate_is_what_is_built(name, jobs, tmp_path):
    told, built = source(name, tmp_path).estimate(), jobs.mesh(name, 1)
    assert told.n_cells == len(built["ids"])
    assert told.n_points == len(np.unique(built["points"]))
    assert set(told.regions) == {k.removeprefix("region ") for k in built if k.startswith("region ")}
    assert {*told.boundaries, EXTERIOR} == {
        k.removeprefix("boundary ") for k in built if k.startswith("boundary ")
    }


@pytest.mark.parametrize("name", [*providing(GridSource), *providing(PeriodicSource)])
def test_estimate_is_the_grid(name, jobs, tmp_path):
    told, built = source(name, tmp_path).estimate(), jobs.mesh(name, 1)
    for method in ("grid", "periodic"):
        if f"{method} cells" in built:
            cells = built[f"{method} cells"]
            assert (told.dim, told.n_cells) == (len(cells), math.prod(cells))
            assert (built[f"{method} size"] > 0).all() and len(built[f"{method} size"]) == told.dim


@members
def test_what_is_known_early_is_what_the_file_says(name, tmp_path):
    """A deck is checked against it: a name that is missing there would be refused though the mesh has it."""
    made = source(name, tmp_path)
    known, told = made.known(), made.estimate()
    if known is None:
        pytest.skip("it knows nothing without reading a file")
    assert known.dim in (None, told.dim)
    # a reader of the head only cannot tell regions from boundaries yet
    for names, found in ((known.regions, told.regions), (known.boundaries, told.boundaries)):
        assert names is None or set(found) <= set(names)
        assert names is None or set(names) <= {*told.regions, *told.boundaries, *told.skeleton}
    assert set(known.skeleton) <= set(told.skeleton)


@pytest.mark.parametrize("name", providing(CellSource))
@pytest.mark.parametrize("ranks", [1, 2])
def test_every_cell_belongs_to_one_rank(name, ranks, jobs):
    found = jobs.mesh(name, ranks)
    assert np.array_equal(np.sort(found["ids"]), np.arange(len(found["ids"])))
    assert (found["volumes"] > 0).all()


@members
def test_two_ranks_hold_what_one_holds(name, jobs):
    one, two = jobs.mesh(name, 1), jobs.mesh(name, 2)
    assert one.keys() == two.keys()
    for key in one:
        if key.startswith(("region", "boundary", "ids", "grid", "periodic")):
            assert np.array_equal(np.unique(one[key], axis=0), np.unique(two[key], axis=0)), key
            assert key.startswith(("grid", "periodic")) or len(one[key]) == len(two[key]), key
    if "volumes" in one:
        assert two["volumes"].sum() == pytest.approx(one["volumes"].sum(), rel=1e-12)
        np.testing.assert_allclose(np.sort(one["volumes"]), np.sort(two["volumes"]), rtol=1e-9)


@pytest.mark.parametrize("name", providing(CellSource))
def test_volume_is_that_of_what_the_boundary_encloses(name, tmp_path):
    """Σ V = ∮ x·n ds / d over the exterior: the cells fill the body once, the boundary is its skin."""
    from mpi4py import MPI

    from plexus.spaces.evaluate import WHOLE, Evaluator, Part

    mesh = source(name, tmp_path).build(MPI.COMM_SELF)
    cells, skin_part = Evaluator(mesh), Part(boundary=EXTERIOR)
    volume = cells.integrate(lambda p: 1.0 + 0 * p.x[..., 0], 0.0, {}, WHOLE, 2)
    skin = cells.integrate(lambda p: (p.x * p.normal).sum(-1) / mesh.dim, 0.0, {}, skin_part, 2)
    assert skin == pytest.approx(volume, rel=1e-10)
    named = [k for k in mesh.boundaries if k != EXTERIOR]
    rows = {tuple(r) for r in mesh.boundaries[EXTERIOR].tolist()}
    covered = {tuple(r) for k in named for r in mesh.boundaries[k].tolist()}
    if named:
        assert rows <= covered, "the named boundaries leave a part of the exterior without a name"
