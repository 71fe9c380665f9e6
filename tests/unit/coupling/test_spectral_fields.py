"""Fields, quantities, probes and spectra of a run on a periodic grid, against the Taylor-Green flow."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import InputError
from plexus.fields.keys import Key
from plexus.mesh.grid import Grid
from plexus.spaces.grid import GridPlaces, GridSpace, periodic_sinc

FLOW = """
plexus: 1
parameters: {nu: 0.1}
mesh: {type: periodic, cells: [16, 12], size: [6.283185307179586, 6.283185307179586]}
physics: {type: navier_stokes, viscosity: "${nu}"}
initial: {velocity: ["sin(x)*cos(y)", "-cos(x)*sin(y)"]}
time: {stepper: etdrk4, end: 0.5 s, step: 0.05 s}
quantities:
  energy: {type: mean, of: kinetic_energy}
  total: {type: integral, of: "(velocity_x^2 + velocity_y^2)/2"}
  top: {type: maximum, of: velocity_x}
  bottom: {type: minimum, of: "velocity_x - 1"}
  size: {type: norm, of: velocity_x}
  there: {type: value, of: "2*velocity_x + t + nu", at: [0.7, 0.3]}
  wrong: {type: error, of: velocity, exact: ["sin(x)*cos(y)*exp(-2*nu*t)", "-cos(x)*sin(y)*exp(-2*nu*t)"]}
"""
DECAY = math.exp(-2 * 0.1 * 0.5)


@pytest.fixture
def run(make_run):
    run = make_run(FLOW)
    run.execute()
    return run


def test_quantities_are_exact(run):
    found, area = run.values(), (2 * math.pi) ** 2
    assert found["energy"] == pytest.approx(DECAY**2 / 4, rel=1e-12)
    assert found["total"] == pytest.approx(DECAY**2 / 4 * area, rel=1e-12)
    assert found["top"] == pytest.approx(DECAY, rel=1e-12)
    assert found["bottom"] == pytest.approx(-DECAY - 1, rel=1e-12)
    assert found["size"] == pytest.approx(DECAY / 2 * 2 * math.pi, rel=1e-12)
    assert found["there"] == pytest.approx(2 * DECAY * math.sin(0.7) * math.cos(0.3) + 0.5 + 0.1, rel=1e-12)
    assert found["wrong"] == pytest.approx(0, abs=1e-12)
    assert run.units["energy"] == "m^2/s^2" and run.units["size"] == "m^2/s"


def test_fields_components_and_expressions(run):
    x = run.system.points.points
    spec, location, u = run.fields.evaluate("velocity")
    assert (spec.shape, location, u.shape) == ("vector", "node", (len(x), 2))
    np.testing.assert_allclose(u[:, 1], -np.cos(x[:, 0]) * np.sin(x[:, 1]) * DECAY, atol=1e-12)
    np.testing.assert_array_equal(run.fields.evaluate("velocity_y")[2][:, 0], u[:, 1])
    np.testing.assert_allclose(run.fields.evaluate("velocity_y*2 + x")[2][:, 0], 2 * u[:, 1] + x[:, 0])
    assert run.fields.evaluate("vorticity")[2] is run.fields.evaluate("vorticity")[2]
    with pytest.raises(InputError, match="did you mean velocity"):
        run.fields.evaluate("velosity")


def test_spectrum_holds_the_mean_square(run):
    power = run.fields.spectrum("velocity")
    assert power.sum() == pytest.approx(DECAY**2 / 2, rel=1e-12)
    # |k| = sqrt(2) belongs to shell 1
    assert power[1] == pytest.approx(power.sum(), rel=1e-12)
    assert len(power) == 7, "complete shells of the coarser axis"
    half = run.fields.spectrum("velocity_x")
    assert half.sum() == pytest.approx(power.sum() / 2, rel=1e-12)


def test_checkpoint_state_is_in_physical_space(run):
    meta, fields = run.checkpoint_state()
    space, rows = fields[Key("state", "velocity")]
    np.testing.assert_allclose(rows, run.fields.evaluate("velocity")[2][: space.n_owned], atol=1e-14)
    assert meta["clock"]["step"] == 10
    np.testing.assert_array_equal(space.names(), np.arange(16 * 12))


@pytest.mark.parametrize("n", [5, 6, 9, 16])
def test_sinc_interpolates_resolved_waves_exactly(n):
    at, points = np.array([0.3, 2.0, 6.1]), 2 * np.pi * np.arange(n) / n
    for k in range((n - 1) // 2 + 1):
        wave = np.cos(k * points) + 0.5 * np.sin(k * points)
        found = periodic_sinc(n, at[:, None] - points) @ wave
        np.testing.assert_allclose(found, np.cos(k * at) + 0.5 * np.sin(k * at), atol=1e-12)


def test_places_outside_the_box_are_refused():
    grid = Grid(MPI.COMM_SELF, (4, 4), (1.0, 2.0))
    assert GridPlaces(grid, [[1.0, 2.0]]).xs.shape == (1, 2)
    with pytest.raises(InputError, match=r"1 of 2 positions lie outside the mesh: \(0.5, 2.1\)"):
        GridPlaces(grid, [[0.5, 0.5], [0.5, 2.1]])
    with pytest.raises(InputError, match="2 coordinates, not 3"):
        GridPlaces(grid, [[0.5, 0.5, 0.5]])


@pytest.mark.parametrize("cells", [(4, 5), (3, 4, 5)])
def test_shown_cells_have_positive_volumes_and_fill_the_box(cells):
    from plexus.mesh.cells import reference
    from plexus.mesh.mesh import corner_volumes

    grid = Grid(MPI.COMM_SELF, cells, tuple(float(n) for n in cells))
    piece = GridSpace(grid, (0, cells[0])).piece()
    corners = piece.points[piece.links][..., : grid.dim]
    np.testing.assert_allclose(corner_volumes(reference(grid.cell), corners), 1.0)
    assert piece.shape == (math.prod(n + 1 for n in cells), math.prod(cells), math.prod(cells) * 2**grid.dim)
    np.testing.assert_array_equal(piece.points[piece.links[:, 0], : grid.dim].min(axis=0), 0)
    # a point of the closing planes shows the value of the point that it repeats
    place = np.array(np.unravel_index(piece.nodes, cells)).T
    np.testing.assert_array_equal(place, piece.points[:, : grid.dim].astype(int) % cells)


START = """
plexus: 1
mesh: {type: periodic, cells: [16, 12], size: [10, 10]}
physics: {type: active_fluid, order: 2, amplitude: 0}
closure: autoregressive
initial:
  concentration: 1 + 0.1*sin(pi*x/5)
  nematic: ["0.5 + 0.1*cos(pi*y/5)", 0, 0, "0.5 - 0.1*cos(pi*y/5)"]
time: {stepper: sbdf2, end: 0.1 s, step: 0.01 s}
"""


def test_initial_fields_of_the_deck(make_run):
    run = make_run(START)
    x, y = run.system.points.points.T
    np.testing.assert_allclose(run.fields.evaluate("concentration")[2][:, 0], 1 + 0.1 * np.sin(np.pi * x / 5))
    nematic = run.fields.evaluate("nematic")[2]
    np.testing.assert_allclose(nematic[:, 0] - nematic[:, 3], 0.2 * np.cos(np.pi * y / 5), atol=1e-14)
    np.testing.assert_array_equal(run.fields.evaluate("nematic_xy")[2], nematic[:, 1:2])
    assert run.system.unknowns == 5 * 16 * 12
