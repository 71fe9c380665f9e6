"""Internal variables in the time loop: against closed forms, after failed steps, and in a plastic rod."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.errors import SolveError
from plexus.run import Run
from plexus.runtime import context

STEPPERS: dict[str, Any] = {"euler": "theta", "midpoint": {"type": "theta", "theta": 0.5}, "bdf2": "bdf2"}
MATERIAL = {"density": 1200, "specific_heat": 1000, "conductivity": 0.2}
HOT = 400.0
"""Temperature of an isothermal cure [K]."""


def build(folder: Path, time: dict[str, Any], heat: float = 0.0, **more: Any) -> Run:
    """Return a run of an insulated body with k_1 = 0.02/s, k_2 = 0.08/s, m = n = 1 at 400 K."""
    at = 5e4 / (8.314462618 * HOT)
    kinetics = {"factors": [0.02 * math.exp(at), 0.08 * math.exp(at)], "energies": [5e4, 5e4], "m": 1, "n": 1}
    physics = {
        "type": "cure",
        "material": MATERIAL,
        "heat_of_reaction": heat,
        "kinetics": kinetics,
        "start": 0,
    }
    data = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "triangle", "cells": [2, 2]},
        "physics": physics,
        "initial": {"temperature": HOT},
        "time": time,
        "solver": {"default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-13}},
        **more,
    }
    deck = Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})
    run = compose(deck, context.create(MPI.COMM_SELF, folder))
    run.observers = []
    return run


def marched(*args: Any, **more: Any) -> Run:
    run = build(*args, **more)
    run.execute()
    return run


def cured(t: float) -> float:
    """Return the solution of a' = (k_1 + k_2 a)(1 - a), a(0) = 0: logistic."""
    k1, k2 = 0.02, 0.08
    e = math.exp((k1 + k2) * t)
    return k1 * (e - 1) / (k1 * e + k2)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("midpoint", 2), ("bdf2", 1)])
def test_isothermal_cure_follows_the_closed_form_with_the_order_of_its_memory(name, order, tmp_path):
    errors = []
    for step in (2.0, 1.0):
        run = marched(tmp_path, {"stepper": STEPPERS[name], "end": 20.0, "step": step})
        a = run.state.internal["degree_of_cure"]
        assert np.ptp(a) <= 1e-14 and np.ptp(run.state.values["temperature"]) <= 1e-9
        errors.append(abs(a[0, 0] - cured(20.0)))
    assert errors[1] < 0.01
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("name", ["euler", "midpoint"])
def test_adiabatic_rise_is_the_heat_of_reaction(name, tmp_path):
    run = marched(tmp_path, {"stepper": STEPPERS[name], "end": 30.0, "step": 1.0}, heat=3e4)
    rise = run.state.values["temperature"][:, 0] - HOT
    a = run.state.internal["degree_of_cure"].mean()
    assert a > 0.9
    # T rises by H a / c = 30 K for the whole reaction
    np.testing.assert_allclose(rise, 30 * a, rtol=1e-10)


@pytest.mark.parametrize("name", STEPPERS)
def test_a_step_that_is_thrown_away_leaves_no_trace(name, tmp_path):
    time = {"stepper": STEPPERS[name], "end": 4.0, "step": 1.0}
    start = {"temperature": "400 + 5*x"}
    calm, tried = (build(tmp_path, time, heat=3e4, initial=start) for _ in range(2))
    kept = {k: v.copy() for k, v in tried.state.internal.items()}
    result = tried.stepper.step(tried.system, tried.state, 0.0, 3.0)
    assert np.all(result.internal["degree_of_cure"] > kept["degree_of_cure"])
    np.testing.assert_array_equal(tried.state.internal["degree_of_cure"], kept["degree_of_cure"])
    for run in (calm, tried):
        run.execute()
    for group in ("values", "internal"):
        one, two = getattr(calm.state, group), getattr(tried.state, group)
        for field in one:
            np.testing.assert_array_equal(one[field], two[field])


def test_a_step_whose_solve_fails_leaves_no_trace(tmp_path):
    once = {
        "default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-13, "snes_max_iterations": 1}
    }
    run = build(tmp_path, {"stepper": "theta", "end": 60.0, "step": 20.0}, heat=3e4, solver=once)
    with pytest.raises(SolveError):
        run.stepper.step(run.system, run.state, 0.0, 20.0)
    assert not run.state.internal["degree_of_cure"].any()


def test_a_steady_solve_takes_the_memory_as_it_is(tmp_path):
    run = marched(tmp_path, None, heat=0.0, boundary=[{"on": "left", "temperature": HOT}])  # type: ignore[arg-type]
    assert not run.state.internal["degree_of_cure"].any()
    np.testing.assert_allclose(run.state.values["temperature"], HOT, rtol=1e-12)


def test_models_without_memory_have_none(tmp_path):
    heat = {"type": "heat", "material": MATERIAL}
    run = marched(tmp_path, {"stepper": "theta", "end": 2.0, "step": 1.0}, physics=heat)
    assert run.state.internal == {} and run.system.points == {}
    assert {key.group for key in run.layout()} == {"state"}


def test_extrema_of_memory_are_those_of_the_points(tmp_path):
    """Behind a hot front the degree of cure falls steeply: recovered at nodes it would pass below zero."""
    run = build(
        tmp_path,
        {"stepper": "theta", "step": 2, "end": 40},
        boundary=[{"on": "left", "temperature": 460}],
        initial={"temperature": 300},
        quantities={
            "least": {"type": "minimum", "of": "degree_of_cure"},
            "most": {"type": "maximum", "of": "2*degree_of_cure"},
            "hottest": {"type": "maximum", "of": "temperature"},
        },
    )
    run.execute()
    (rows,) = run.state.internal.values()
    assert run.values()["least"] == rows.min() >= 0
    assert run.values()["most"] == pytest.approx(2 * rows.max(), rel=1e-14)
    assert run.values()["hottest"] == 460
    assert run.fields.evaluate("degree_of_cure")[2].min() < rows.min()
