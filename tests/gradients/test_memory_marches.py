"""Gradients through what a material remembers: Taylor form, equal on any ranks, with states kept or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from chains import judged, numbered
from mpi4py import MPI

from plexus.calibration.misfit import RunMisfit
from plexus.errors import InputError
from plexus.measurements.base import Readings
from plexus.observers.gradient import derivative
from plexus.run.trace import Trace

WORLD = MPI.COMM_WORLD
SOLID = """
plexus: 1
controls:
  E: {type: scalar, unit: Pa, start: 200 GPa}
  w1: {type: scalar, start: 1}
  w2: {type: scalar, start: 1}
  w3: {type: scalar, start: 1}
  load: {type: scalar, start: 1}
tables: {pull: {times: [0 s, 6 s, 18 s], values: [0 MPa, 190 MPa, -190 MPa]}}
mesh: {type: box, cell: CELL, cells: CELLS, size: SIZE, map: MAP}
physics:
  type: elastoviscoplastic
  MORE
  law: {young_modulus: E, poisson_ratio: 0.3, LAW}
boundary:
  BOUNDARY
time: {stepper: {type: quasistatic, guess: linear}, step: 3 s, end: 12 s}
quantities:
  m:
    type: integral
    of: "displacement_x^2/(1 mm)^2 + (1e3*p)^2 + (1e3*plastic_strain_xy)^2 + (von_mises/(100 MPa))^2"
solver: {default: {ksp: gmres, preconditioner: bjacobi, rtol: 1.e-13, snes_rtol: 1.e-12}}
"""
CUBE = {
    "CELLS": "[2, 2, 2]", "CELL": "hexahedron", "SIZE": "[1 m, 1 m, 1 m]",
    "MAP": "[x + 0.1*y*z/(1 m), y, z]",
    "BOUNDARY": """
  - {on: left, displacement: [0, null, null]}
  - {on: bottom, displacement: [null, 0, null]}
  - {on: back, displacement: [null, null, "1e-4*(load - 1)*x"]}
  - {on: right, traction: ["load*pull(t)*(1 + 0.3*y/(1 m))", 0, "0.2*pull(t)*z/(1 m)"]}""",
}  # fmt: skip
PLATE = {
    "CELLS": "[3, 2]", "CELL": "triangle", "SIZE": "[1 m, 1 m]", "MAP": "[x + 0.1*y, y]",
    "BOUNDARY": """
  - {on: left, displacement: [0, 0]}
  - {on: right, traction: ["load*pull(t)", "0.2*pull(t)"]}""",
}  # fmt: skip
CURE = """
plexus: 1
controls:
  k: {type: scalar, unit: W/(m K), start: 0.2}
  hot: {type: scalar, unit: K, start: 400 K}
  cold: {type: scalar, unit: K, start: 395 K}
mesh: {type: interval, cells: 6, size: 2 mm}
physics:
  type: cure
  material: {density: 1900 kg/m^3, specific_heat: 1250 J/(kg K), conductivity: k}
  heat_of_reaction: 77.5 kJ/kg
  kinetics: {factors: [0, 6.2e20 1/s], energies: [0, 167 kJ/mol], m: 0.52, n: 1.48}
  start: 0.1
boundary: [{on: left, temperature: hot}]
initial: {temperature: cold}
time: {stepper: {type: theta, theta: 0.6}, end: 2 s, step: 0.5 s}
quantities: {m: {type: mean, of: "(temperature/(400 K))^2 + 3*degree_of_cure^2"}}
solver: {default: {ksp: gmres, preconditioner: bjacobi, rtol: 1.e-13, snes_rtol: 1.e-12}}
"""
BACKS = "back_stresses: [{modulus: 60 GPa*w2, recall: 500*w3}, {modulus: 5 GPa, recall: 20}]"


def solid(given, more, law):
    text = SOLID.replace("MORE", more).replace("LAW", law)
    for name, value in given.items():
        text = text.replace(name, value.strip())
    return text


CASES = {
    "j2": solid(
        CUBE, "locking: b_bar",
        "type: j2, yield_stress: 120 MPa*w1, hardening: {slope: 20 GPa*w2, gain: 40 MPa*w3, rate: 20}",
    ),
    "norton": solid(
        PLATE, 'geometry: plane_strain\n  degree: 2\n  temperature: "300 K*w3 + 20 K/m*x"',
        'type: norton, expansion: {coefficient: 1e-5 1/K, reference: 290 K}, viscosity: {drag: '
        '"(700 MPa - 0.5 MPa/K*(temperature - 300 K))*w1", exponent: 5*w2}',
    ),
    "chaboche": solid(
        CUBE, "body_force: [0, 0, 0]",
        "type: chaboche, yield_stress: 60 MPa, hardening: {gain: 40 MPa, rate: 20}, "
        f"viscosity: {{drag: 150 MPa*w1, exponent: 12}}, {BACKS}",
    ),
    "cure": CURE,
}  # fmt: skip


def run_of(comm, folders, name):
    folder = Path(comm.bcast(str(folders.mktemp("deck"))))
    return numbered(CASES[name], folder, comm)


@pytest.mark.parametrize("name", CASES)
def test_all_controls_in_taylor_form(name, tmp_path_factory):
    """In all at once: a wrong derivative in any of them is of first order."""
    run, numbers = run_of(MPI.COMM_SELF, tmp_path_factory, name)
    delta = np.random.default_rng(1).uniform(0.5, 1.0, len(numbers.present())) * numbers.scale()
    value, slope, found = judged(run, numbers, "m", delta, 3e-3 * np.logspace(0, -2, 3))
    assert found == pytest.approx(2.0, abs=0.1)
    # each moves the value by more than the remainders can hide
    assert all(np.abs(slope[part] * delta[part]).max() > 1e-4 * value for part in numbers.parts.values())


@pytest.mark.mpi
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_one_rank(name, tmp_path_factory):
    value, slope = derivative(*run_of(WORLD, tmp_path_factory, name), "m")
    alone, whole = derivative(*run_of(MPI.COMM_SELF, tmp_path_factory, name), "m")
    assert value == pytest.approx(alone, rel=1e-10)
    assert np.abs(slope - whole).max() <= 1e-10 * np.abs(whole).max()


@pytest.mark.mpi
@pytest.mark.pair
def test_tangents_are_adjoint_to_gradients(tmp_path_factory):
    run, numbers = run_of(WORLD, tmp_path_factory, "chaboche")
    places = np.array([[0.4, 0.5, 0.3], [0.8, 0.5, 0.6], [0.6, 0.8, 0.1]])
    read = Readings("displacement_x", np.array([3.0, 7.5, 12.0]), places, np.zeros(3), np.full(3, 1e-4))
    misfit = RunMisfit(run, numbers, [read])
    draw, m = np.random.default_rng(1), numbers.present()
    v, w = draw.uniform(0.5, 1, (2, len(m))) * numbers.scale(), draw.normal(size=3)
    np.testing.assert_allclose(misfit.pushed(m, v) @ w, v @ misfit.pulled(m, w), rtol=1e-9)


@pytest.mark.mpi
@pytest.mark.pair
def test_kept_states_change_no_gradient(tmp_path_factory):
    run, numbers = run_of(WORLD, tmp_path_factory, "chaboche")

    def slope(every):
        m = torch.tensor(numbers.present(), requires_grad=True)
        trace = Trace.of(run, numbers.own(m))
        total = trace.total(lambda trace: trace.quantity("m"), every=every)
        seed = torch.full_like(total, 1 / WORLD.size)
        return numbers.total(torch.autograd.grad(total, m, seed)[0].numpy())

    whole = slope(None)
    np.testing.assert_allclose(slope(2), whole, rtol=1e-12, atol=1e-12 * np.abs(whole).max())


def test_memory_on_boundaries_is_refused(tmp_path):
    text = CASES["j2"].replace("type: integral\n", "type: integral\n    on: right\n")
    run, numbers = numbered(text, tmp_path)
    with pytest.raises(InputError, match="not on boundaries"):
        derivative(run, numbers, "m")
