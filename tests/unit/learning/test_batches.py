"""Members of reference runs that differ in their starts alone march as one batch, with the same numbers."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from plexus.deck.load import load
from plexus.errors import PlexusError
from plexus.learning.data import _reference
from plexus.protocols import Port

MODES = """
plexus: 1
samples: {noise: {type: uniform, seed: 3, low: -1, high: 1, each: x}}
mesh: {type: periodic, cells: [32], size: [22]}
physics: {type: kuramoto_sivashinsky}
initial: {u: cos(x/3.5) + 0.1*noise}
time: {stepper: etdrk4, end: 2 s, step: 0.05 s}
"""
CELLS = """
plexus: 1
parameters: {shift: 0}
mesh: {type: periodic, cells: [32], size: [1]}
physics: {type: burgers, viscosity: 1e-3}
initial: {velocity: "1 + 0.5*sin(2*pi*(x - shift))"}
time: {stepper: ssp_rk, end: 0.2 s, step: 0.01 s}
"""
POINTS = """
plexus: 1
physics: {type: lorenz96, n: 8, forcing: 8}
initial: {state: "8 + sin(x)"}
time: {stepper: runge_kutta, end: 0.5 s, step: 0.05 s}
"""
ELEMENTS = """
plexus: 1
mesh: {type: interval, cells: 4}
physics: {type: diffusion, coefficient: 1, capacity: 1}
initial: {u: x}
time: {stepper: bdf2, end: 0.2 s, step: 0.1 s}
"""
AMOUNTS = """
plexus: 1
samples: {u0: {type: uniform, seed: 3, low: 0.004, high: 0.2}}
mesh: {type: interval, cells: 16}
physics: {type: diffusion_sorption}
boundary: [{on: left, concentration: 1}, {on: right, robin: {coefficient: 1}}]
initial: {concentration: u0}
time: {stepper: bdf2, controller: {type: graded, growth: 1.5}, end: 9 s, step: 0.05 s}
solver: {concentration: {ksp: gmres, preconditioner: ilu, rtol: 1e-13, snes_rtol: 1e-12}}
"""
CASES = {
    "amounts": (AMOUNTS, "concentration", [[f"samples.u0.number={n}"] for n in range(3)]),
    "modes": (MODES, "u", [[f"samples.noise.number={n}"] for n in range(3)]),
    "cells": (CELLS, "velocity", [[f"parameters.shift={n / 10}"] for n in range(3)]),
    "points": (POINTS, "state", [[f"initial.state=8 + {n}*sin(x)"] for n in range(3)]),
}


@pytest.fixture
def ran(tmp_path):
    """Return a function that runs members and returns what they give, by number."""

    def run(text, field, overrides, **more):
        (tmp_path / "deck.yaml").write_text(text)
        decks = {n: load(tmp_path / "deck.yaml", each) for n, each in enumerate(overrides)}
        ports = SimpleNamespace(inputs=(Port("in", "1"),), outputs=())
        session = SimpleNamespace(ctx=SimpleNamespace(folder=tmp_path, device="cpu"), part=ports)
        times = SimpleNamespace(times=lambda: more.get("times", (0.1, 0.2)))
        fields = {"in": SimpleNamespace(name=field, unit="1", imaginary=None)}
        params = SimpleNamespace(fields=fields, times=times)
        return {n: found for n, *found in _reference.ran(session, params, decks, 0, 1)}

    return run


@pytest.mark.parametrize("case", CASES)
def test_a_batch_gives_what_its_members_give_alone(ran, monkeypatch, case):
    composed = []
    real = _reference.compose
    monkeypatch.setattr(_reference, "compose", lambda deck, ctx: composed.append(deck) or real(deck, ctx))
    together = ran(*CASES[case])
    assert [deck.ensemble.members for deck in composed if deck.ensemble] == [3]
    monkeypatch.setattr(_reference, "LARGEST", 1)
    alone = ran(*CASES[case])
    assert len([deck for deck in composed if deck.ensemble]) == 1, "no batch without room for two"
    for number in range(3):
        assert together[number][0] == alone[number][0]
        size = np.abs(alone[number][1]["in"]).max()
        np.testing.assert_allclose(together[number][1]["in"], alone[number][1]["in"], atol=1e-12 * size)
    assert np.ptp([alone[n][1]["in"] for n in range(3)], axis=0).max() > 1e-3 * size, "members differ"


@pytest.mark.parametrize(
    ("text", "overrides", "sizes"),
    [
        (CELLS, ["initial.velocity=1", "initial.velocity=2", "physics.viscosity=0.1"], [1, 2]),
        (CELLS.replace("1e-3", '"${shift}"'), ["parameters.shift=1", "parameters.shift=2"], [1, 1]),
        (CELLS, ["time.stepper=bdf2", "time.stepper=bdf2"], [2]),
        (MODES, ["runtime.seed=1", "runtime.seed=2", "time.step=0.1 s"], [1, 2]),
        (ELEMENTS, ["initial.u=1", "initial.u=2"], [2]),
        (AMOUNTS, ["samples.u0.number=1", "samples.u0.number=2", "physics.exponent=1"], [1, 2]),
        (
            AMOUNTS + "sweep: {mode: draws, sample: u0, samples: 2}",
            [f"samples.u0.number={n}" for n in "12"],
            [2],
        ),
        (AMOUNTS.replace("1e-12", "1e-8"), ["samples.u0.number=1", "samples.u0.number=2"], [2]),
    ],
)
def test_members_march_together_where_only_starts_differ(tmp_path, text, overrides, sizes):
    (tmp_path / "deck.yaml").write_text(text)
    decks = {n: load(tmp_path / "deck.yaml", [each]) for n, each in enumerate(overrides)}
    groups = _reference.alike(decks)
    assert sorted(map(len, groups.values())) == sizes
    alone = text == ELEMENTS or "bdf2" in overrides[0] or "snes_rtol: 1e-8" in text
    assert (_reference.ALONE in groups) == alone, json.dumps(list(groups))


def test_the_member_that_fails_is_named(ran):
    """A batch with one member that is lost is lost; each is then run for itself."""
    with pytest.raises(PlexusError, match="run 1"):
        ran(CELLS, "velocity", [["initial.velocity=1"], ["initial.velocity=1e200*sin(2*pi*x)"]])
