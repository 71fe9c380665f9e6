"""Equations solved one after the other until they agree: against the same equations as one system."""

import math

import numpy as np
import pytest

from plexus import registry
from plexus.deck.load import load
from plexus.deck.params import Field
from plexus.errors import DeckError, SolveError
from plexus.fields.arrays import stack
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.protocols import FieldSpec, Flux

A, B = FieldSpec("a", "1", "scalar", "first"), FieldSpec("b", "1", "scalar", "second")


class PairParams(PhysicsParams):
    """Parameters of two equations that depend on each other."""

    strength: float = Field(1.0, description="strength of the coupling")
    instantaneous: bool = Field(False, description="the second has no time derivative")
    block: bool = Field(False, description="solve both at once")


class First(EquationBase):
    """a_t - ∇²a - k b = 1."""

    field, time_order = A, 1

    def __init__(self, params):
        self.k = params.strength

    def flux(self, p):
        return Flux(p.rate - self.k * p.fields["b"].value - 1, p.grad)


class Second(EquationBase):
    """b_t - ∇²b - k a² = 0, or without b_t."""

    field = B

    def __init__(self, params):
        self.k, self.time_order = params.strength, int(not params.instantaneous)

    def flux(self, p):
        return Flux((p.rate if self.time_order else 0.0) - self.k * p.fields["a"].value ** 2, p.grad)


class Both(EquationBase):
    """The same two at once."""

    field, fields, time_order = A, (A, B), 1
    evolving = ("a", "b")

    def __init__(self, params):
        self.k = params.strength
        if params.instantaneous:
            self.evolving = ("a",)

    def flux(self, p):
        a, b, rate = p.u[..., 0], p.u[..., 1], p.rate
        second = rate[..., 1] if "b" in self.evolving else 0.0
        return Flux(stack([rate[..., 0] - self.k * b - 1, second - self.k * a**2]), p.grad)


class Pair:
    """The model."""

    def __init__(self, params):
        self.equations = [Both(params)] if params.block else [First(params), Second(params)]

    @staticmethod
    def fields(params):
        return (A, B)


@pytest.fixture(autouse=True)
def _registered():
    registry.register("physics", "pair", PairParams)(Pair)
    yield
    registry.forget("physics", "pair")


DECK = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: pair, strength: 3}
boundary: [{on: left, a: 0}, {on: right, b: "0.2*t"}]
initial: {a: 1, b: "x"}
time: {stepper: theta, end: 0.4, step: 0.1}
solver: {default: {snes_rtol: 1e-13}}
"""
COUPLED = "coupling={iterations: 60, tolerance: 1e-12}"


def values(make_run, *overrides):
    """Return a finished run and its values."""
    run = make_run(DECK, *overrides)
    run.execute()
    return run, np.hstack([run.state.values["a"], run.state.values["b"]])


MIDPOINT = "{type: theta, theta: 0.5}"
PAIRS = [(s, i) for s in ("theta", MIDPOINT, "bdf2", "quasistatic") for i in ("true", "false")]


# between its times a follower is taken on a chord, which the inconsistent start of this deck spoils
@pytest.mark.parametrize(("stepper", "instantaneous"), [p for p in PAIRS if p != (MIDPOINT, "true")])
def test_passes_lead_to_the_values_of_the_whole_system(make_run, stepper, instantaneous):
    chosen = (f"time.stepper={stepper}", f"physics.instantaneous={instantaneous}", "physics.strength=1")
    run, iterated = values(make_run, COUPLED, *chosen)
    _, whole = values(make_run, "physics.block=true", *chosen)
    _, once = values(make_run, *chosen)
    assert np.abs(iterated - whole).max() < 1e-9
    assert np.abs(once - whole).max() > 1e-3
    told = run.system.passes
    assert told.steps == 4 and told.longest > 5 and told.change <= 1e-12


@pytest.mark.parametrize("instantaneous", ["true", "false"])
def test_the_iteration_restores_the_order_of_the_midpoint_rule(make_run, instantaneous):
    small = "time.end=0.16", "mesh.cells=[3, 2]"
    start = 'boundary=[{on: left, a: "0.2*sin(3*t)"}, {on: right, b: 0}]', "initial={a: 0, b: 0}"
    chosen = (
        f"time.stepper={MIDPOINT}",
        f"physics.instantaneous={instantaneous}",
        "physics.strength=3",
        *start,
        *small,
    )
    _, fine = values(make_run, "physics.block=true", *chosen, "time.step=0.0025")
    order = {}
    for name, extra in (("once", ()), ("iterated", (COUPLED,))):
        errors = [
            np.abs(values(make_run, *chosen, *extra, f"time.step={dt}")[1] - fine).max()
            for dt in (0.02, 0.01)
        ]
        order[name] = math.log2(errors[0] / errors[1])
    assert order["once"] < 1.4
    assert order["iterated"] > 1.85


def test_steady_equations_agree(make_run):
    steady = DECK.replace("time: {stepper: theta, end: 0.4, step: 0.1}", "").replace("0.2*t", "0.1")
    run = make_run(steady, COUPLED, "physics.strength=0.8")
    run.execute()
    whole = make_run(steady, "physics.block=true", "physics.strength=0.8")
    whole.execute()
    for name in ("a", "b"):
        assert np.abs(run.state.values[name] - whole.state.values[name]).max() < 1e-9


def test_without_the_block_nothing_is_told(make_run):
    run, _ = values(make_run)
    assert run.system.passes is None and run.system.counts() == {} and run.system.histories(run.state) == {}
    run, _ = values(make_run, COUPLED)
    told = run.system.counts()["coupling"]
    assert told["steps"] == 4 and told["mean"] == told["passes"] / 4 and told["max"] <= 60
    row = run.system.histories(run.state)["coupling"]
    assert row["passes"] >= 2 and row["change"] <= 1e-12


def test_no_agreement_is_a_failed_solve_that_tells_how_far_it_got(make_run):
    with pytest.raises(
        SolveError, match=r"coupling: after 3 passes [ab] still changes by \d.*tolerance 1e-12"
    ):
        values(make_run, "coupling={iterations: 3, tolerance: 1e-12}")


def test_adaptive_steps_get_shorter_until_the_equations_agree(make_run):
    run, _ = values(make_run, "coupling={iterations: 6, tolerance: 1e-7}", "time.adaptive={tolerance: 0.1}")
    assert run.controller.rejected > 0 and run.clock.t == 0.4


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (
            ("{type: pair, strength: 3}", "{type: heat, material: {conductivity: 1}}"),
            "coupling",
            "heat is one system",
        ),
        (("stepper: theta", "stepper: {type: petsc_ts, ts: bdf}"), "time.stepper", "cannot repeat a step"),
    ],
)
def test_what_cannot_be_iterated_is_told_by_check(tmp_path, change, place, message):
    path = tmp_path / "deck.yaml"
    text = DECK.replace(*change) + "coupling: {tolerance: 1e-6}\n"
    if "heat" in text:
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("boundary", "initial")))
    path.write_text(text)
    with pytest.raises(DeckError, match=message) as caught:
        load(str(path))
    assert f" {place}: " in str(caught.value) and str(caught.value).startswith(str(path))
