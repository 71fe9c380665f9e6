"""Marches on elements keep every k-th state as all others do; their solves have tests of their own."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from chains import close, composed, gradients, told
from mpi4py import MPI
from taylor import slope

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from step_problems import made

from plexus.coupling.traced import Traced
from plexus.stepping.adjoint import Chain, equal_steps

pytestmark = pytest.mark.mpi
WORLD = MPI.COMM_WORLD
DECK = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [6, 6]}
physics: {type: diffusion, coefficient: "1 + u^2", capacity: 1, source: "10*x"}
boundary: [{on: left, u: "y*t"}, {on: right, robin: {coefficient: 1, value: "u"}}]
initial: {u: "x*y"}
time: {stepper: bdf2, end: 1 s, step: 0.05 s}
solver: {u: {preconditioner: SOLVER, snes_rtol: 1.e-13}}
"""


@pytest.mark.parametrize("given", [{"type": "theta", "theta": 0.5}, {"type": "bdf2"}], ids=str)
def test_kept_states_change_no_gradient(given, tmp_path_factory):
    folder = Path(WORLD.bcast(str(tmp_path_factory.mktemp("heat"))))
    solver = "lu" if WORLD.size == 1 else "bjacobi"
    run = composed(DECK.replace("SOLVER", solver), folder, WORLD)
    n = run.system.spaces["u"].n_owned

    def loss(start, every=None):
        # ghosts of the start are the owners' business, as those of every state
        chain = Chain(Traced(run.system), partial(made, given["type"], given), equal_steps(0.05, 4), every)
        return sum(told(s["u"][:n]) for s in chain.states({"u": start}, (2, 4)))

    start = [torch.from_numpy(run.state.values["u"])]
    assert close(gradients(partial(loss, every=2), start), gradients(loss, start), 1e-9)
    if WORLD.size == 1:
        assert slope(loss, start) == pytest.approx(2.0, abs=0.1)
