"""Gradients through marches without a mesh: steppers, constants, starts, networks, ranks."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from chains import close, composed, gradients, summed, told
from mpi4py import MPI
from taylor import pulled_and_pushed, slope
from torch.func import functional_call

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from hosts import label, stepper_variants
from step_problems import made

from plexus.coupling.constants import with_constants
from plexus.coupling.stages import STATE
from plexus.coupling.tracedpoints import TracedPoints
from plexus.protocols import Explicit, Implicit
from plexus.stepping.adjoint import Chain, equal_steps, recorded

pytestmark = pytest.mark.mpi
WORLD = MPI.COMM_WORLD
TWO = pytest.approx(2.0, abs=0.1)
CHAIN = """
plexus: 1
physics: {type: lorenz96, n: 8, forcing: 6}
ensemble: {members: 5, perturbation: 0.5, seed: 3}
time: {stepper: {type: runge_kutta}, end: 0.4 s, step: 0.04 s, adaptive: ADAPTIVE}
"""
STEPS = equal_steps(0.04, 6)
FORCING = torch.tensor(6.0, dtype=torch.float64)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The deck on all ranks."""
    return chain_of(WORLD, tmp_path_factory)


def chain_of(comm, folders, adaptive="null"):
    folder = Path(comm.bcast(str(folders.mktemp("chain"))))
    return composed(CHAIN.replace("ADAPTIVE", adaptive), folder, comm)


def stepper_of(given):
    return partial(made, given["type"], given)


def loss(run, stepper, steps=STEPS, every=None, at=(3, 6)):
    """Return this rank's part of a number of two states, a function of forcing and start."""

    def model(**constants):
        return with_constants(run.deck.physics, **constants).model()

    def value(forcing, start):
        traced = TracedPoints(run.system, model, {"forcing": forcing})
        states = Chain(traced, stepper, steps, every).states({STATE: start}, at)
        return sum(told(s[STATE]) for s in states)

    return value


@pytest.mark.pair
@pytest.mark.parametrize("given", stepper_variants(Explicit, Implicit), ids=label)
def test_gradients_of_every_stepper_in_taylor_form(run, given):
    point = FORCING, run.state.values[STATE]
    value = loss(run, stepper_of(given))
    assert slope(value, point, 1e-2, WORLD) == TWO
    # of two segments only the first states are kept
    assert close(gradients(loss(run, stepper_of(given), every=4), point), gradients(value, point), 1e-13)


@pytest.mark.parametrize("name", ["dormand_prince", "bdf2"])
def test_gradients_are_those_of_one_rank(run, name, tmp_path_factory):
    given = {"type": name} if name == "bdf2" else {"type": "runge_kutta", "method": name}
    alone = chain_of(MPI.COMM_SELF, tmp_path_factory)
    forcing, start = gradients(loss(alone, stepper_of(given)), (FORCING, alone.state.values[STATE]))
    parts = gradients(loss(run, stepper_of(given)), (FORCING, run.state.values[STATE]))
    mine = slice(run.system.members.begin, run.system.members.end)
    assert close(summed(parts[:1], WORLD), [forcing])
    assert close(parts[1:], [start[mine]])


def test_adaptive_steps_are_replayed(tmp_path_factory):
    """A run's own steps, whose choice is not differentiated; the states are those of the run."""
    run = chain_of(WORLD, tmp_path_factory, "{tolerance: 1.e-6}")
    start = run.state.values[STATE]
    steps = recorded(run)
    assert len({round(step.dt, 12) for step in steps}) > 3
    value = loss(run, stepper_of({"type": "runge_kutta"}), steps, every=3, at=())
    with torch.no_grad():
        assert float(value(FORCING, start)) == float(told(run.state.values[STATE]))
    assert slope(value, (FORCING, start), 1e-2, WORLD) == TWO


class Learned:
    """Relaxation with a network for what is left open: dX/dt = -X + net(X)."""

    def __init__(self, net, weights):
        self.net, self.weights = net, weights
        self.sizes, self.scales = {"state": 8}, {"state": 1.0}

    def rates(self, values, t):
        """Return dX/dt."""
        x = values["state"]
        return {"state": functional_call(self.net, self.weights, (x,)) - x}

    def jacobian(self, values, t):
        """Leave it to differentiation."""
        return


@pytest.mark.parametrize("given", [{"type": "runge_kutta"}, {"type": "theta", "theta": 0.5}], ids=label)
def test_weights_of_a_network_in_the_rates(run, given):
    torch.manual_seed(2)
    net = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 8)).double()
    names = [name for name, _ in net.named_parameters()]

    def value(*weights):
        named = {n.replace(".", "_"): w for n, w in zip(names, weights, strict=True)}

        def model(**constants):
            return Learned(net, dict(zip(names, constants.values(), strict=True)))

        traced = TracedPoints(run.system, model, named)
        end = Chain(traced, stepper_of(given), STEPS, every=4).states({STATE: run.state.values[STATE] / 6})[0]
        return told(end[STATE])

    assert slope(value, [p.detach() for p in net.parameters()], 1e-2, WORLD) == TWO


def test_an_implicit_step_has_a_tangent(run):
    def state(forcing, start):
        def model(**constants):
            return with_constants(run.deck.physics, **constants).model()

        traced = TracedPoints(run.system, model, {"forcing": forcing})
        chain = Chain(traced, stepper_of({"type": "theta"}), STEPS[:2])
        return chain.states({STATE: start})[0][STATE]

    parts = pulled_and_pushed(state, (FORCING, run.state.values[STATE]))
    pulled, pushed = (WORLD.allreduce(part) for part in parts)
    assert pushed == pytest.approx(pulled, rel=1e-10)
