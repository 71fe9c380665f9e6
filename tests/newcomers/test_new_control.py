"""A control is one file and one deck: a polynomial of time, differentiated through a march."""

import json

import pytest

from plexus.cli import main

MEMBER = '''
"""A polynomial of time: m(t) = Σ_k θ_k t^k."""

from typing import Any

import numpy as np

from plexus.controls.base import ControlParams, Plain
from plexus.deck.params import Field
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"start": [1.0, 0.5]}


class PolynomialParams(ControlParams):
    """Parameters of a polynomial."""

    start: tuple[float, ...] = Field(description="coefficients at the start, of rising powers")


@register("control", "polynomial", PolynomialParams)
class Polynomial(Plain):
    """Powers of time."""

    def __init__(self, params):
        self.params = params
        self.sizes = params.start  # a value, a slope, ...: each is measured by itself

    def place(self, space):
        """Return itself: it is the same everywhere."""
        return OfTime(len(self.params.start))

    def begin(self, space):
        """Return the coefficients."""
        return np.array(self.params.start)


class OfTime:
    """The polynomial in a run."""

    replicated, reads = True, ()

    def __init__(self, count):
        self.count = count

    def zeros(self):
        """Return no power."""
        return np.zeros(self.count)

    def spread(self, own):
        """Return the coefficients."""
        return own

    def at_nodes(self, nodes, t, values):
        """Return the value at a time."""
        return sum(values[k] * t**k for k in range(self.count))

    def sample(self, batch, values):
        """Return the value at the batch's time."""
        from plexus.spaces.controls import Level

        return Level(self.at_nodes(None, batch.t, values).reshape(1, 1))
'''
DECK = """
plexus: 1
controls: {q: {type: polynomial, start: [1.0, 2.0, 3.0e-4]}}
mesh: {type: interval, cells: 4}
physics: {type: diffusion, coefficient: 1, source: q, capacity: 1}
time: {stepper: bdf2, end: 1 s, step: 0.1 s}
quantities: {content: {type: integral, of: u}}
output: [{type: gradient, of: content}]
"""


def scale(path):
    """Return the sizes of the numbers of the deck's controls."""
    from mpi4py import MPI

    from plexus import registry
    from plexus.compose import compose
    from plexus.coupling.numbers import Numbers
    from plexus.deck.load import load
    from plexus.runtime import context

    deck = load(path)
    run = compose(deck, context.create(MPI.COMM_WORLD, path.parent))
    return Numbers({"q": registry.build("control", deck.controls["q"])}, run.system.controls).scale().tolist()


def test_one_file_and_one_deck(newcomer):
    """Without an exchange the content is ∫ q dt, as the march adds it up: linear in the coefficients."""
    newcomer.install("control", "polynomial", MEMBER)
    told = newcomer.run(DECK)
    import h5py

    with h5py.File(newcomer.folder / "out/gradient.h5") as file:
        slope = file["q/derivative"][...]
    assert slope @ [1.0, 2.0, 3.0e-4] == pytest.approx(told["quantities"]["content"], rel=1e-10)
    assert slope == pytest.approx([1.0, 0.5, 1 / 3], rel=0.02)
    run = newcomer.folder / "deck.yaml"
    assert scale(run) == [1.0, 2.0, 3.0e-4], "not all as the largest of them"
    assert main(["check", "--taylor", str(newcomer.folder / "deck.yaml")]) == 0
    assert "A polynomial of time" in newcomer.explained()
    assert json.loads((newcomer.folder / "out/summary.json").read_text())["status"] == "done"
