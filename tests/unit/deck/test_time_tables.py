"""Tables of time: values, knots, units, cycles, and what is refused."""

from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

from plexus.deck.expressions import Expression, ExpressionError
from plexus.deck.schema import Deck
from plexus.deck.tables import TimeTable


def table(**block):
    return TimeTable.model_validate(block)


SPEED = table(times=["0 s", 1, "3 s"], values=["0 rpm", "30 rpm", "0 rpm"], period="4 s")
STEPS = table(times=[1, 2], values=[0, 2])
TURN = 30 * 2 * 3.141592653589793 / 60


def read(text):
    found = Expression(text, {"speed": SPEED, "steps": STEPS})
    found.understand(lambda name: None)
    return found


def test_values_between_knots_beyond_the_ends_and_after_periods():
    speed, steps = read("speed(t)"), read("3*steps(t) + x")
    expected = {0: 0, 0.5: TURN / 2, 1: TURN, 2: TURN / 2, 3.5: 0, 4.5: TURN / 2, 9: TURN}
    assert all(speed({"t": t}) == pytest.approx(v, abs=1e-12) for t, v in expected.items())
    assert [steps({"t": t, "x": 1}) for t in (0, 1.5, 5)] == [1, 4, 7]
    shifted = read("speed(t - 1)")
    assert shifted({"t": 2}) == pytest.approx(TURN)


def test_steps_see_the_knots():
    assert read("speed(t)").breaks(0, 8).kinks == (0, 1, 3, 4, 5, 7, 8)
    assert read("steps(t)").breaks(0, 8).kinks == (1, 2) and not read("steps(t)").breaks(0, 8).jumps


def test_units_are_those_of_the_values():
    assert read("2*speed(t)").misfit("rad/s") == "" and "does not fit" in read("2*speed(t)").misfit("m")
    assert read("3 mm*steps(t)").misfit("m") == "" and read("steps(t)").misfit("Pa") == ""
    with pytest.raises(ExpressionError, match="do not go together"):
        read("speed(t) + 1 MPa")


def test_a_table_has_a_derivative_and_survives_pickling():
    steps = read("steps(t)^2")
    assert steps.derivative("t")({"t": 1.5}) == pytest.approx(4)
    again = pickle.loads(pickle.dumps(steps))
    assert again == steps and again({"t": 1.5}) == 1


@pytest.mark.parametrize("text", ["speed", "speed(x)", "speed(t, t)", "2*speed + t"])
def test_a_table_is_a_function_of_time_alone(text):
    with pytest.raises(ExpressionError, match="table of time: write speed"):
        read(text)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"times": [0, 0], "values": [1, 2]}, "must increase"),
        ({"times": [0, 1], "values": [1, 2, 3]}, "2 times and 3 values"),
        ({"times": [0, 1], "values": ["1 m", "2 s"]}, "different units"),
        ({"times": [0, 1], "values": ["1 m", 2]}, "different units"),
        ({"times": [0, 5], "values": [1, 2], "period": 4}, "more than the period"),
        ({"times": [0, 1], "values": ["one", 2]}, "one"),
    ],
)
def test_what_is_no_table_is_refused(block, message):
    with pytest.raises(ValueError, match=message):
        table(**block)


def deck(time, tables):
    data = {
        "plexus": 1, "tables": tables, "mesh": {"type": "box", "cell": "quadrilateral", "cells": [1, 1]},
        "physics": {"type": "elasticity", "geometry": "plane_strain",
                    "material": {"young_modulus": 1, "poisson_ratio": 0.3}},
        "boundary": [{"on": "left", "displacement": [0, 0]}, {"on": "right", "displacement_x": "pull(t)"}],
        "time": {"stepper": "quasistatic", "step": 0.5, **time},
    }  # fmt: skip
    return Deck.from_plain({"data": data, "path": "deck.yaml", "origins": {}, "overrides": []})


PULL = {"pull": {"times": [0, 1, 2], "values": [0, 1, 0], "period": 2}}


def test_cycles_count_periods():
    assert deck({"cycles": 3, "start": 1}, PULL).time.end == 7
    longer = PULL | {"push": {"times": [0, 1], "values": [0, 1], "period": 6}}
    assert deck({"cycles": 2}, longer).time.end == 12


@pytest.mark.parametrize(
    ("time", "tables", "message"),
    [
        ({"cycles": 3}, {"pull": {"times": [0, 1], "values": [0, 1]}}, "no table of the deck has a period"),
        ({"cycles": 3, "end": 5}, PULL, "give either end or cycles"),
        ({"cycles": 3}, PULL | {"push": {"times": [0, 1], "values": [0, 1], "period": 3}}, "no common cycle"),
        ({"end": 4, "adaptive": {"limit": {"p": 1}}}, PULL, "neither an unknown nor an internal variable"),
        ({"end": 4, "adaptive": {"limit": {"displacement": "1 s"}}}, PULL, "does not fit"),
        ({"end": 4, "adaptive": {"limit": {"displacement": 0}}}, PULL, "positive"),
    ],
)
def test_what_is_no_cycle_and_no_limit_is_refused(time, tables, message):
    with pytest.raises(ValueError, match=message):
        deck(time, tables)


@pytest.mark.parametrize("cycles", [0, -1, 1.5, "x", float("nan"), 1e15, 10**400])
def test_a_wrong_number_of_cycles_is_told_where_it_stands_and_nowhere_else(cycles):
    with pytest.raises(ValidationError) as caught:
        deck({"cycles": cycles}, PULL)
    assert [error["loc"][:2] for error in caught.value.errors()] == [("time", "cycles")]
    assert deck({"cycles": 2.0}, PULL).time.end == 4


@pytest.mark.parametrize("wrong", [{"times": [0, 1, 1]}, {"period": 1}, {"values": [0, "1 m", 0]}])
def test_a_wrong_table_is_told_once_and_not_where_it_is_read(wrong):
    with pytest.raises(ValidationError) as caught:
        deck({"cycles": 2}, {"pull": PULL["pull"] | wrong})
    assert {error["loc"][:2] for error in caught.value.errors()} == {("tables", "pull")}
