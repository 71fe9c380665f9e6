"""Gradients through marches in Fourier space: steppers, constants, starts, memory of models, ranks."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from chains import close, composed, gradients, summed, told
from mpi4py import MPI
from taylor import slope

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from hosts import label, stepper_variants
from step_problems import made

from plexus.coupling.constants import with_constants
from plexus.coupling.tracedmodes import TracedModes
from plexus.protocols import Split
from plexus.stepping.adjoint import Chain, equal_steps

pytestmark = pytest.mark.mpi
WORLD = MPI.COMM_WORLD
TWO = pytest.approx(2.0, abs=0.1)
FLOW = """
plexus: 1
mesh: {type: periodic, cells: [12, 16], size: [6.283185307179586, 6.283185307179586]}
physics: {type: navier_stokes, viscosity: 0.05, start: random, peak: 2}
time: {stepper: etdrk4, end: 1 s, step: 0.05 s}
"""
RODS = """
plexus: 1
mesh: {type: periodic, cells: [12, 12], size: [10, 10]}
physics: {type: active_fluid, order: 2, alpha: -3, beta: 2, start: waves, amplitude: 0.5,
  passive_stress: {method: HOW, tolerance: 1.e-13}}
time: {stepper: sbdf2, end: 1 s, step: 0.05 s}
"""
CASES = {"flow": (FLOW, {"viscosity": 0.05}), "rods": (RODS, {"alpha": -3.0, "zeta": 1.0, "beta": 2.0})}


def run_of(comm, folders, name="flow", how="krylov"):
    folder = Path(comm.bcast(str(folders.mktemp("modes"))))
    return composed(CASES[name][0].replace("HOW", how), folder, comm)


def point(run, name):
    numbers = [torch.tensor(v, dtype=torch.float64) for v in CASES[name][1].values()]
    return *numbers, run.state.values[run.system.unknown]


def loss(run, name, given, every=None):
    """Return this rank's part of a number of two states, a function of constants and start."""
    unknown, space = run.system.unknown, run.system.model.space

    def value(*theta):
        constants = dict(zip(CASES[name][1], theta[:-1], strict=True))
        model = with_constants(run.deck.physics, **constants).model(space)
        traced = TracedModes(run.system, model)
        chain = Chain(traced, partial(made, given["type"], given), equal_steps(0.05, 5), every)
        return sum(told(space.inverse(s[unknown])) for s in chain.states({unknown: theta[-1]}, (2, 5)))

    return value


@pytest.mark.pair
@pytest.mark.parametrize("given", stepper_variants(Split), ids=label)
def test_gradients_of_every_stepper_in_taylor_form(given, tmp_path_factory):
    run = run_of(WORLD, tmp_path_factory)
    value = loss(run, "flow", given)
    assert slope(value, point(run, "flow"), 1e-2, WORLD) == TWO
    kept = gradients(loss(run, "flow", given, every=3), point(run, "flow"))
    assert close(kept, gradients(value, point(run, "flow")), 1e-13)


@pytest.mark.parametrize("how", ["lagged", "krylov"])
def test_what_a_model_remembers_goes_on_with_the_state(how, tmp_path_factory):
    run = run_of(WORLD, tmp_path_factory, "rods", how)
    here, given = point(run, "rods"), {"type": "sbdf2"}
    value = loss(run, "rods", given)
    assert slope(value, here, 1e-3, WORLD) == TWO
    assert close(gradients(loss(run, "rods", given, every=2), here), gradients(value, here), 1e-11)


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_one_rank(name, tmp_path_factory):
    many, one = (run_of(comm, tmp_path_factory, name) for comm in (WORLD, MPI.COMM_SELF))
    whole = gradients(loss(one, name, {"type": "sbdf2"}), point(one, name))
    parts = gradients(loss(many, name, {"type": "sbdf2"}), point(many, name))
    columns = slice(*many.system.model.space.columns)
    assert close(summed(parts[:-1], WORLD), whole[:-1])
    assert close(parts[-1:], [whole[-1][..., columns]])
