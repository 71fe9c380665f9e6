"""Gradients through marches of cell means: explicit and implicit steps, sides, laws, ensembles, ranks.

Data are smooth and away from kinks of limiters and upwinding, where a Taylor expansion holds.
"""

import sys
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import torch
from chains import close, composed, gradients, summed, told
from mpi4py import MPI
from taylor import pulled_and_pushed, slope

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from hosts import label, stepper_variants
from step_problems import made

from plexus.coupling.tracedcells import TracedCells
from plexus.protocols import Explicit, Implicit
from plexus.run.trace import Trace, gradient
from plexus.stepping.adjoint import Chain, equal_steps

pytestmark = pytest.mark.mpi
WORLD = MPI.COMM_WORLD
TWO = pytest.approx(2.0, abs=0.1)
LINE = """
plexus: 1
mesh: {type: periodic, cells: [18], size: [1]}
controls: {nu: {type: scalar, unit: m^2/s, start: 0.02}}
physics: {type: burgers, viscosity: nu, source: "-velocity^2/4", reconstruction: weno5}
initial: {velocity: "2 + sin(2*pi*x)"}
ensemble: {members: 2, perturbation: 0.01, seed: 3}
time: {stepper: STEPPER, end: 1 s, step: 0.004 s}
"""
SQUARE = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [12, 6]}
controls: {nu: {type: scalar, unit: m^2/s, start: 0.05}}
physics: {type: burgers, viscosity: nu, direction: [1, 0.5], reconstruction: muscl}
boundary: [{on: left, velocity: "2 + y"}, {on: right, outflow: {}}, {on: bottom, flux: 0.1}]
initial: {velocity: "2 + x^2 + x*y"}
time: {stepper: STEPPER, end: 1 s, step: 0.004 s}
solver: {velocity: {SOLVER, rtol: 1.e-13, snes_rtol: 1.e-13}}
"""
SORBED = """
plexus: 1
mesh: {type: interval, cells: 18}
controls: {nu: {type: scalar, unit: m^2/s, start: 0.05}}
physics: {type: diffusion_sorption, diffusivity: nu}
boundary: [{on: left, concentration: 1}, {on: right, robin: {coefficient: 0.1}}]
initial: {concentration: 1 - 0.7*x^2}
time: {stepper: STEPPER, end: 1 s, step: 0.004 s}
solver: {concentration: {SOLVER, rtol: 1.e-13, snes_rtol: 1.e-13}}
"""
# the decks have no steady states
STEPPERS = [given for given in stepper_variants(Explicit, Implicit) if given["type"] != "quasistatic"]
MEANS = SQUARE.replace("muscl", "weno5").replace("[12, 6]", "[16, 8]")
DECKS = {"1-D": LINE, "2-D": SQUARE, "amounts": SORBED}
"""Line and square: periodic and with sides of three kinds; cells that hold amounts."""


def run_of(comm, folders, name, given, solver="ksp: gmres"):
    folder = Path(comm.bcast(str(folders.mktemp("cells"))))
    stepper = "{" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}"
    text = DECKS.get(name, MEANS)
    return composed(text.replace("STEPPER", stepper).replace("SOLVER", solver), folder, comm)


def point(run):
    return torch.from_numpy(run.system.controls.own["nu"]), run.state.values[run.system.evolving[0]]


def loss(run, given, every=None):
    """Return this rank's part of a number of two states, a function of viscosity and start."""

    def value(viscosity, start):
        traced = TracedCells(run.system, {"nu": viscosity})
        chain = Chain(traced, partial(made, given["type"], given), equal_steps(0.004, 3), every)
        (name,) = run.system.evolving
        return sum(told(s[name]) for s in chain.states({name: start}, (2, 3)))

    return value


@pytest.mark.pair
@pytest.mark.parametrize(
    ("given", "name"),
    [*product(STEPPERS, ("1-D", "2-D")), ({"type": "ssp_rk"}, "amounts"), ({"type": "theta"}, "amounts")],
    ids=lambda v: v if isinstance(v, str) else label(v),
)
def test_gradients_of_every_stepper_in_taylor_form(given, name, tmp_path_factory):
    run = run_of(WORLD, tmp_path_factory, name, given)
    value, here = loss(run, given), point(run)
    smooth = torch.tensor([0.5], dtype=torch.float64), torch.cos(here[1])
    assert slope(value, here, 1e-2, WORLD, smooth) == TWO
    assert close(gradients(loss(run, given, every=2), here), gradients(value, here), 1e-9)


@pytest.mark.pair
def test_gradients_through_fluxes_that_are_means(tmp_path_factory):
    """WENO5 on a square, in Taylor form and beside one rank."""
    given = {"type": "ssp_rk"}
    many, one = (run_of(comm, tmp_path_factory, "means", given) for comm in (WORLD, MPI.COMM_SELF))
    assert many.system.scheme.beside and many.system.scheme.compiled
    value, here = loss(many, given), point(many)
    smooth = torch.tensor([0.5], dtype=torch.float64), torch.cos(here[1])
    assert slope(value, here, 1e-2, WORLD, smooth) == TWO
    parts, whole = gradients(value, here), gradients(loss(one, given), point(one))
    slab = many.system.scheme.slab
    assert close(summed(parts[:1], WORLD), whole[:1])
    assert close(parts[1:], [whole[1].narrow(-slab.dim, slab.rows[0], slab.shape[0])])


@pytest.mark.parametrize("name", DECKS)
@pytest.mark.parametrize("type_", ["ssp_rk", "bdf2"])
def test_gradients_are_those_of_one_rank(type_, name, tmp_path_factory):
    given = {"type": type_}
    many, one = (run_of(comm, tmp_path_factory, name, given) for comm in (WORLD, MPI.COMM_SELF))
    whole = gradients(loss(one, given), point(one))
    parts = gradients(loss(many, given), point(many))
    slab = many.system.scheme.slab
    assert close(summed(parts[:1], WORLD), whole[:1])
    assert close(parts[1:], [whole[1].narrow(-slab.dim, slab.rows[0], slab.shape[0])])


@pytest.mark.pair
def test_gradients_of_a_run_do_not_depend_on_what_is_kept(tmp_path_factory):
    """Steps that are computed again are not judged again."""
    run, found = run_of(WORLD, tmp_path_factory, "1-D", {"type": "ssp_rk"}), []
    run.observers = []
    for every in (None, 60):
        theta = {"nu": torch.tensor([0.02], dtype=torch.float64, requires_grad=True)}
        total = Trace.of(run, theta).total(lambda trace: told(trace.state.values["velocity"]), every)
        found.append(gradient(total, theta, run)["nu"])
    assert close(found[:1], found[1:], 1e-12)


def test_implicit_steps_have_tangents(tmp_path_factory):
    """Layers of slabs are exchanged forwards as backwards."""
    run = run_of(WORLD, tmp_path_factory, "2-D", {"type": "bdf2"})

    def state(viscosity, start):
        traced = TracedCells(run.system, {"nu": viscosity})
        chain = Chain(traced, partial(made, "bdf2", {"type": "bdf2"}), equal_steps(0.004, 2))
        return chain.states({"velocity": start})[0]["velocity"]

    pulled, pushed = (WORLD.allreduce(part) for part in pulled_and_pushed(state, point(run)))
    assert pushed == pytest.approx(pulled, rel=1e-9)
