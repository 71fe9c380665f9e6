"""Values beyond what is possible: told, stopped by a bound of the deck, or kept by a lumped capacity."""

import case_runs
import pytest
from case_runs import RANKS

JUMP = "07_jump_of_boundary_value"


@pytest.mark.parametrize("ranks", RANKS)
def test_a_lumped_capacity_keeps_the_maximum_principle(tmp_path, ranks):
    found = case_runs.run(JUMP, tmp_path, "-s", "physics.capacity=lumped", ranks=ranks)
    values = found.quantities()
    assert values["coldest"] >= 300 - 1e-4
    assert values["hottest"] == pytest.approx(2300, rel=1e-9)
    assert "outside" not in found.said


@pytest.mark.parametrize("ranks", RANKS)
def test_values_below_absolute_zero_and_outside_the_data_are_told(tmp_path, ranks):
    found = case_runs.run(JUMP, tmp_path, ranks=ranks)
    assert "below 0 K at t = 0.001 s" in found.said
    assert "outside all data (300 to 2300)" in found.said
    assert "`physics.capacity: lumped`" in found.said
    told = found.summary()["bounds"]["temperature"]
    assert told["steps_outside"] == 3 and told["lowest"] < -800


@pytest.mark.parametrize("ranks", RANKS)
def test_a_bound_of_the_deck_stops_the_run(tmp_path, ranks):
    found = case_runs.run(JUMP, tmp_path, "-s", "runtime.guard={temperature: [300 K, ...]}", ranks=ranks)
    assert found.code == 5, found.said
    assert "runtime.guard.temperature: temperature is -815" in found.said
    assert "below 300 K" in found.said and "Traceback" not in found.said


def test_a_bound_may_only_warn(tmp_path):
    cold, hot = "{lower: 20 degC, action: warn}", "{upper: 1 kW/m^2, action: warn}"
    limits = f"runtime.guard={{temperature: {cold}, heat_flux_x: {hot}}}"
    found = case_runs.run(JUMP, tmp_path, "-s", limits)
    bounds = found.summary()["bounds"]
    assert bounds["temperature"]["lower"] == pytest.approx(293.15)
    assert bounds["temperature"]["steps_outside"] == 3 == bounds["heat_flux_x"]["steps_outside"]


@pytest.mark.parametrize(
    ("guard", "word"),
    [
        ("{temprature: [0, 1]}", "did you mean 'temperature'"),
        ("{temperature: [0 m, ...]}", "expected K"),
        ("{temperature: [..., ...]}", "bounds nothing"),
        ("{temperature: [2, 1]}", "is not below"),
        ("{heat_flux: [0, ...]}", "bound a component"),
        ("{temperature: 300}", "expected [lower, upper]"),
        ("[temperature]", "expected a mapping"),
    ],
)
def test_wrong_bounds_are_refused_at_their_place(tmp_path, guard, word):
    case_runs.check(JUMP, tmp_path, "-s", f"runtime.guard={guard}").refused("runtime.guard", word)


def test_degree_two_says_what_lumping_is_there(tmp_path):
    found = case_runs.check(JUMP, tmp_path, "-s", "physics.capacity=lumped", "-s", "physics.degree=2")
    assert "Hinton" in found.said
