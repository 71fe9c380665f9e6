"""Tangents of runs on elements: adjoint to gradients, with remainders of second order, on any ranks."""

from pathlib import Path

import numpy as np
import pytest
from chains import composed
from mpi4py import MPI

from plexus import registry
from plexus.calibration.misfit import RunMisfit
from plexus.coupling.numbers import Numbers
from plexus.measurements.base import Readings

pytestmark = pytest.mark.mpi
WORLD = MPI.COMM_WORLD
CONTROLS = """
plexus: 1
controls:
  a: {type: scalar, start: 1.3}
  q: {type: nodal, start: "1 + x"}
mesh: {type: box, cell: triangle, cells: [5, 4], map: [x + 0.2*y, y + 0.3*x]}
"""
SOLVER = "\nsolver: {default: {rtol: 1.e-13, snes_rtol: 1.e-13, preconditioner: bjacobi}}\n"
WIND = """
physics: {type: diffusion, coefficient: [[a, "9*y"], ["-9*y", q]], source: "a^2*q"}
boundary: [{on: left, u: "a*y"}, {on: bottom, u: q}]
"""
BENT = """
physics: {type: diffusion, coefficient: "a*(1 + u^2)*q", source: "10*a^2*x", reaction: "u"}
boundary: [{on: left, u: "a*y*q"}, {on: right, robin: {coefficient: a, value: "u^2"}}]
"""
MARCH = """
physics: {type: diffusion, coefficient: "a*(1 + u^2)", capacity: q, source: "10*x"}
boundary: [{on: left, u: "a*y*t"}, {on: right, robin: {coefficient: q, value: "u"}}]
initial: {u: "a*x*y"}
time: {stepper: STEPPER, end: 0.3 s, step: 0.1 s}
"""
HELD = """
physics:
  type: elasticity
  geometry: plane_strain
  material: {young_modulus: "100*a*(1 + 0.1*q)", poisson_ratio: 0.3}
boundary: [{on: left, normal: "0.01*a*q"}, {on: bottom, normal: 0}, {on: right, traction: ["a^2", q]}]
"""
DECKS = {
    "linear": WIND, "nonlinear": BENT, "along normals": HELD,
    "theta": MARCH.replace("STEPPER", "{type: theta, theta: 0.5}"), "bdf2": MARCH.replace("STEPPER", "bdf2"),
}  # fmt: skip
TIMES = np.array([0.0, 0.05, 0.2, 0.3])
PLACES = np.array([[0.4, 0.5], [0.8, 0.5], [0.6, 0.8], [0.3, 0.9]])


@pytest.fixture(params=DECKS)
def misfit(request, tmp_path_factory):
    """Return readings of a run as a function of its numbers."""
    folder = Path(WORLD.bcast(str(tmp_path_factory.mktemp("deck"))))
    run = composed(CONTROLS + DECKS[request.param] + SOLVER, folder, WORLD)
    stated = {name: registry.build("control", p) for name, p in run.deck.controls.items()}
    of, ones = "u" if "u" in run.system.spaces else "displacement_x", np.ones(len(PLACES))
    return RunMisfit(
        run, Numbers(stated, run.system.controls), [Readings(of, TIMES, PLACES, 0 * ones, ones / 7)]
    )


def test_tangents_are_adjoint_to_gradients_and_of_first_order(misfit):
    m, draw = misfit.numbers.present(), np.random.default_rng(1)
    v, w = draw.uniform(0.5, 1, (3, len(m))), draw.normal(size=len(PLACES))
    along, slope = misfit.pushed(m, v), misfit.pulled(m, w)
    np.testing.assert_allclose(along @ w, v @ slope, rtol=1e-10)
    steps = [1e-1, 1e-2, 1e-3]
    here = misfit.residuals(m)
    left = [np.linalg.norm(misfit.residuals(m + h * v[0]) - here - h * along[0]) for h in steps]
    assert np.polyfit(np.log(steps[1:]), np.log(left[1:]), 1)[0] == pytest.approx(2.0, abs=0.1)


def test_rows_and_columns_make_the_same_matrix(misfit):
    m = misfit.numbers.present()
    rows = misfit.jacobian(m)  # there are fewer readings than numbers
    columns = misfit.pushed(m, np.eye(len(m))).T
    np.testing.assert_allclose(columns, rows, rtol=0, atol=1e-10 * np.abs(rows).max())
