"""Runs with controls, differentiated: what the tests of gradients share."""

import numpy as np
import torch
from mpi4py import MPI

from plexus.coupling.starts import start
from plexus.coupling.traced import Traced
from plexus.fields.state import State


def steady(run, controls, name="u"):
    """Return the unknown of a steady run, a tensor, for own values of controls."""
    traced = Traced(run.system, controls)
    values = start(traced, run.deck.initial, 0.0, marches=False)
    return run.stepper.step(traced, State(values), 0.0, 0.0).values[name]


def remainders(function, theta, direction, steps):
    """Return |J(θ + h d) - J(θ) - h J'd| for each h; J is the same on all ranks, J' is summed over them."""
    comm = MPI.COMM_WORLD
    theta = theta.clone().requires_grad_(True)
    value = function(theta)
    (slope,) = torch.autograd.grad(value, theta, torch.full_like(value, 1 / comm.size))
    along = comm.allreduce(float((slope * direction).sum()))
    with torch.no_grad():
        return [
            abs(function(theta.detach() + h * direction).item() - value.item() - h * along) for h in steps
        ]


def orders(remainder, steps):
    """Return the slopes between consecutive steps."""
    return np.diff(np.log(remainder)) / np.diff(np.log(steps))
