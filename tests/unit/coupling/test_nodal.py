"""Fields by name at the nodes: unknowns, components, derived fields, expressions, and clear refusals."""

import numpy as np
import pytest

from plexus.errors import InputError

STRETCHED = """
plexus: 1
parameters: {double: 2}
mesh: {type: box, cell: quadrilateral, cells: [4, 3]}
physics: {type: elasticity, geometry: plane_stress, material: {young_modulus: 100, poisson_ratio: 0.25}}
boundary:
  - {on: left, displacement_x: 0}
  - {on: bottom, displacement_y: 0}
  - {on: right, traction: [2, 0]}
"""


@pytest.fixture
def run(make_run):
    """A bar under uniform tension of 2 along x: u = (0.02 x, -0.005 y)."""
    run = make_run(STRETCHED)
    run.execute()
    return run


def test_unknowns_components_and_derived_fields(run):
    x = run.system.spaces["displacement"].points
    spec, location, u = run.fields.evaluate("displacement")
    assert (spec.shape, location, u.shape) == ("vector", "node", (len(x), 2))
    assert np.allclose(u, x * [0.02, -0.005], atol=1e-12)
    spec, _, ux = run.fields.evaluate("displacement_x")
    assert spec.shape == "scalar" and np.array_equal(ux[:, 0], u[:, 0])
    assert np.allclose(run.fields.evaluate("von_mises")[2], 2.0, rtol=1e-10)
    assert np.allclose(run.fields.evaluate("stress_xx")[2], 2.0, rtol=1e-10)
    assert np.allclose(run.fields.evaluate("stress_xy")[2], 0.0, atol=1e-10)


def test_expressions(run):
    x = run.system.spaces["displacement"].points
    spec, _, value = run.fields.evaluate("double*von_mises + 100*displacement_x + y")
    assert spec.shape == "scalar"
    assert np.allclose(value[:, 0], 4 + 2 * x[:, 0] + x[:, 1], rtol=1e-9)


def test_results_are_computed_once_per_state(run):
    assert run.fields.evaluate("von_mises")[2] is run.fields.evaluate("von_mises")[2]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("von_misses", "did you mean von_mises"),
        ("displacement_z", "components"),
        ("2*displacement", "name one, e.g. displacement_x"),
        ("import os", "neither a field nor an expression"),
    ],
)
def test_wrong_names_are_refused(run, name, message):
    with pytest.raises(InputError, match=message):
        run.fields.evaluate(name)
