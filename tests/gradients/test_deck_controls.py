"""Gradients in controls of decks on cells, in Fourier space, of points: Taylor form, equal on any ranks."""

from pathlib import Path

import numpy as np
import pytest
from chains import judged, numbered
from mpi4py import MPI

from plexus.observers.gradient import derivative

WORLD = MPI.COMM_WORLD
CONTROLS = """
plexus: 1
controls:
  a: {type: scalar, start: 0.8}
  b: {type: table, knots: [0 s, 0.1 s, 0.3 s], start: [0.5, 1, 0.7]}
  s: {type: nodal, start: "0.3 + 0.02*x"}
  u: {type: nodal, start: "1 + 0.5*sin(3*x)"}
  k: {type: network, inputs: {UNKNOWN: [0, 2]}, start: 1, hidden: [3], seed: 2}
"""
CELLS = """
mesh: {type: box, cell: quadrilateral, cells: [12, 4]}
physics:
  type: advection_diffusion
  velocity: ["a/(1 s/m)", "0.2*a/(1 s/m)"]
  diffusivity: "0.02*s/(1 s/m^2)"
  source: "(b*s - 0.3*k*concentration)/(1 s)"
  reconstruction: HOW
boundary: [{on: left, concentration: "1 + y*b"}, {on: top, flux: 0.1*a}, {on: right, outflow: {}}]
initial: {concentration: u}
time: {stepper: STEPPER, end: 0.06 s, step: 0.02 s}
solver: {concentration: {ksp: gmres, rtol: 1.e-13, snes_rtol: 1.e-13}}
quantities: {m: {type: integral, of: "a*concentration^2 + s*u*concentration"}}
"""
FLOW = """
mesh: {type: periodic, cells: [8, 12], size: [6.283185307179586, 6.283185307179586]}
physics:
  type: navier_stokes
  viscosity: "0.1*a/(1 s/m^2)"
  force: ["b*s*sin(1*y)/(1 s^2/m)", "-0.3*k*velocity_y/(1 s)"]
initial: {velocity: ["u*sin(1*y)/(1 s/m)", "0.5*a*sin(1*x)/(1 s/m)"]}
time: {stepper: sbdf2, end: 0.15 s, step: 0.05 s}
quantities: {m: {type: mean, of: "a*velocity_x^2*velocity_y^2 + s*velocity_x^2"}}
"""
CHAIN = """
physics: {type: lorenz96, n: 6, forcing: "6*a + b*s - 0.1*k*state"}
ensemble: {members: 4, perturbation: 0.5, seed: 3}
initial: {state: u + y}
time: {stepper: STEPPER, end: 0.15 s, step: 0.05 s}
quantities: {m: {type: mean, of: "a*state^2 + s*state + state_mean*state"}}
"""
CASES = {
    "cells, explicit": (CELLS.replace("STEPPER", "ssp_rk").replace("HOW", "muscl"), "concentration"),
    "cells, implicit": (CELLS.replace("STEPPER", "theta").replace("HOW", "upwind"), "concentration"),
    "flow": (FLOW, "t"),
    "chain, explicit": (CHAIN.replace("STEPPER", "runge_kutta"), "state"),
    "chain, implicit": (CHAIN.replace("STEPPER", "bdf2"), "state"),
}


def run_of(comm, folders, name):
    text, port = CASES[name]
    folder = Path(comm.bcast(str(folders.mktemp("deck"))))
    ranged = "t: [0 s, 2 s]" if port == "t" else f"{port}: [0, 2]"
    return numbered(CONTROLS.replace("UNKNOWN: [0, 2]", ranged) + text, folder, comm)


@pytest.mark.parametrize("name", CASES)
def test_all_controls_in_taylor_form(name, tmp_path_factory):
    """In all at once: a wrong derivative in any of them is of first order."""
    run, numbers = run_of(MPI.COMM_SELF, tmp_path_factory, name)
    delta = 0.5 * np.random.default_rng(1).uniform(0.5, 1.0, len(numbers.present()))
    _, slope, found = judged(run, numbers, "m", delta, 3e-2 * np.logspace(0, -3, 4))
    assert found == pytest.approx(2.0, abs=0.1)
    assert all(np.abs(slope[part]).max() > 1e-8 for part in numbers.parts.values())


@pytest.mark.mpi
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_one_rank(name, tmp_path_factory):
    value, slope = derivative(*run_of(WORLD, tmp_path_factory, name), "m")
    alone, whole = derivative(*run_of(MPI.COMM_SELF, tmp_path_factory, name), "m")
    assert value == pytest.approx(alone, rel=1e-10)
    assert np.abs(slope - whole).max() <= 1e-10 * np.abs(whole).max()
