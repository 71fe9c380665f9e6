"""Runs with controls, differentiated: what the tests of gradients share."""

import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

sys.path.append(str(Path(__file__).parents[2] / "gradients"))
import taylor

from plexus.coupling.starts import start
from plexus.coupling.traced import Traced
from plexus.fields.state import State


def steady(run, controls, name="u"):
    """Return the unknown of a steady run, a tensor, for own values of controls."""
    traced = Traced(run.system, controls)
    values = start(traced, run.deck.initial, 0.0, marches=False)
    return run.stepper.step(traced, State(values), 0.0, 0.0).values[name]


def remainders(function, theta, direction, steps):
    """Return Taylor's remainders of J(θ) along a direction; J is the same on all ranks."""
    comm = MPI.COMM_WORLD
    return taylor.remainders(lambda m: function(m) / comm.size, [theta], [direction], steps, comm)


def orders(remainder, steps):
    """Return the slopes between consecutive steps."""
    return np.diff(np.log(remainder)) / np.diff(np.log(steps))
