"""What a system hands out to look at fields: one object that follows the state of its run."""

import numpy as np
import pytest

from plexus.errors import InputError
from plexus.fields.state import State
from plexus.protocols import Balances, Spectra
from plexus.protocols.facets import Facets
from plexus.spaces.evaluate import Part

BAR = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [6, 2], size: [3, 1]}
physics: {type: elasticity, geometry: plane_stress, thickness: 0.5,
  material: {young_modulus: 100, poisson_ratio: 0.25}}
boundary: [{on: left, displacement: [0, 0]}, {on: right, traction: [2, -1]}]
quantities: {pull: {type: reaction, of: displacement, on: left, component: x}}
"""
HEATED = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: heat, material: {conductivity: 2, density: 1, specific_heat: 1}}
boundary: [{on: left, temperature: 300}]
time: {stepper: theta, end: 1 s, step: 0.5 s}
quantities: {into: {type: reaction, of: temperature, on: left}}
"""
WAVES = """
plexus: 1
mesh: {type: periodic, cells: [8, 8], size: [6.283185307179586, 6.283185307179586]}
physics: {type: navier_stokes, viscosity: 0.1}
initial: {velocity: ["sin(x)*cos(y)", "-cos(x)*sin(y)"]}
time: {stepper: etdrk4, end: 0.5 s, step: 0.05 s}
"""


def test_what_can_be_evaluated_tells_by_its_protocols(make_run):
    elements, grid = make_run(HEATED).fields, make_run(WAVES).fields
    assert isinstance(elements, Balances) and not isinstance(elements, Spectra)
    assert isinstance(grid, Spectra) and not isinstance(grid, Balances)


@pytest.mark.parametrize(("text", "name"), [(HEATED, "temperature"), (WAVES, "velocity_x")])
def test_fields_follow_the_state(make_run, text, name):
    run = make_run(text)
    (unknown,) = run.state.values
    before = run.fields.evaluate(name)
    assert run.fields.evaluate(name)[2] is before[2], "once per state"
    total = run.fields.integrate(run.fields.field(name), Part())
    size = run.fields.extremum(run.fields.field(name), Part(), largest=True)
    run.state = State({unknown: 3 * run.state.values[unknown]}, run.state.t)
    np.testing.assert_allclose(run.fields.evaluate(name)[2], 3 * before[2], atol=1e-13)
    assert run.fields.integrate(run.fields.field(name), Part()) == pytest.approx(3 * total, abs=1e-12)
    assert run.fields.extremum(run.fields.field(name), Part(), largest=True) == pytest.approx(3 * size)
    # the state that fields were computed in first comes back as another object with the same values
    run.state = State({unknown: run.state.values[unknown] / 3}, run.state.t)
    np.testing.assert_allclose(run.fields.evaluate(name)[2], before[2], atol=1e-13)


@pytest.mark.parametrize(("text", "name"), [(HEATED, "temperature"), (WAVES, "velocity")])
def test_places_are_found_once_and_sampled_by_name(make_run, text, name):
    run, xs = make_run(text), np.array([[0.3, 0.7], [0.25, 0.5]])
    places = run.fields.locate(xs)
    assert run.fields.locate(xs.copy()) is places
    spec, values = run.fields.sample(name, places)
    assert (spec.name, values.shape) == (name, (2, {"scalar": 1, "vector": 2}[spec.shape]))
    if name == "velocity":
        exact = np.stack([np.sin(xs[:, 0]) * np.cos(xs[:, 1]), -np.cos(xs[:, 0]) * np.sin(xs[:, 1])], axis=1)
        np.testing.assert_allclose(values, exact, atol=1e-12)
    with pytest.raises(InputError, match="lie outside"):
        run.fields.locate(np.array([[-1.0, 0.5]]))


def test_support_balances_the_traction_with_its_unit(make_run):
    run = make_run(BAR)
    run.execute()
    assert run.values()["pull"] == pytest.approx(-2 * 0.5, rel=1e-8)
    assert run.units == {"pull": "N"}
    assert run.fields.reaction("displacement", "left", 1) == pytest.approx(0.5, rel=1e-8)
    with pytest.raises(InputError, match="displacement has no component z on this mesh"):
        run.fields.reaction("displacement", "left", 2)
    with pytest.raises(InputError, match="reaction needs an unknown, 'stress' is derived"):
        run.fields.reaction("stress", Facets(("left",)))


def test_a_reaction_that_changes_in_time_is_refused(make_run):
    with pytest.raises(InputError, match=r"quantities\.into: .*is only defined in a steady run"):
        make_run(HEATED).values()


def test_only_balances_have_an_outflow(make_run):
    with pytest.raises(InputError, match="stress is not the flux of a balance"):
        make_run(BAR).fields.outflow("stress", Facets(("left",)))
