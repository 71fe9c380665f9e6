"""Runs of decks whose marches are differentiated: what the tests of gradients share."""

from pathlib import Path

import numpy as np
import torch
from mpi4py import MPI
from taylor import gradients

from plexus import registry
from plexus.compose import compose
from plexus.coupling.numbers import Numbers
from plexus.deck.load import load
from plexus.observers.gradient import derivative, evaluated
from plexus.runtime import context


def composed(text: str, folder: Path, comm: MPI.Comm = MPI.COMM_SELF):
    """Return the run of a deck. Collective."""
    path = folder / f"deck{comm.size}.yaml"
    if comm.rank == 0:
        path.write_text(text)
    comm.Barrier()
    return compose(load(path), context.create(comm, folder))


def numbered(text: str, folder: Path, comm: MPI.Comm = MPI.COMM_SELF):
    """Return the run of a deck, and the numbers of its controls. Collective."""
    run = composed(text, folder, comm)
    stated = {n: registry.build("control", p) for n, p in run.deck.controls.items()}
    return run, Numbers(stated, run.system.controls)


def judged(run, numbers, name, delta, steps):
    """Return a quantity, its gradient, and the slope of Taylor's remainder along ``delta``. Collective."""
    m = numbers.present()
    value, slope = derivative(run, numbers, name)

    def remainder(h):
        with torch.no_grad():
            there = float(evaluated(run, numbers, name, torch.tensor(m + h * delta)))
        return abs(there - value - h * (slope @ delta))

    order = np.polyfit(np.log(steps), np.log([remainder(h) for h in steps]), 1)[0]
    return value, slope, order


def told(u: torch.Tensor, weight: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Return a smooth number of a rank's values, with a part of each."""
    return (weight * (u**2 + torch.sin(u))).real.sum()


def summed(parts, comm):
    """Return gradients of numbers that all ranks have, from the ranks' parts. Collective."""
    return [torch.as_tensor(comm.allreduce(g.numpy())) for g in parts]


def close(a, b, bound=1e-10):
    """Return whether gradients are equal to a bound relative to their largest entry."""
    return all(float((x - y).abs().max()) <= bound * float(y.abs().max()) for x, y in zip(a, b, strict=True))


__all__ = ["close", "composed", "gradients", "judged", "numbered", "summed", "told"]
