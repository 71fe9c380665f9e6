"""Loads and materials given as tables of time, in every slot."""

import case_runs
import pytest

CASE = "18_table_of_time"
DECK = {
    "plexus": 1,
    "mesh": {"type": "box", "cell": "quadrilateral", "cells": [4, 2], "size": [1, 0.2]},
    "physics": {"type": "heat", "material": {"conductivity": 50}},
    "time": {"stepper": "quasistatic", "end": 1, "step": 0.5},
    "quantities": {"T": {"type": "mean", "of": "temperature", "on": "right"}},
}
FIXED = {"on": "left", "temperature": 300}
TABLE = {"table": [[0, 0], [1, 1000]], "of": "t"}


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_flux(ranks, tmp_path):
    assert case_runs.run(CASE, tmp_path, ranks=ranks).quantities()["T"] == pytest.approx(320, rel=1e-3)


def times(factor):
    """Return a table that rises from 0 to the factor within one second, with units on both axes."""
    return {"table": [["0 min", 0], ["1000 ms", factor]], "of": "t"}


def ran(folder, blocks):
    """Run the deck with other blocks; return its quantities."""
    return case_runs.ran(case_runs.written(folder, DECK | blocks)).quantities()


# what stands on the right side, the conductivity, and the temperature there; 300 K on the left, 1 m long
HEAT = {
    "short form of a flux": ({"flux": TABLE}, 50, 320),
    "conductivity": ({"flux": 1000}, {"table": [[0, 25], [1, 50]], "of": "t"}, 320),
    "conductivity by region": (
        {"flux": 1000},
        {"regions": {"all": {"table": [[0, 25], [1, 50]], "of": "t"}}},
        320,
    ),
    # k/L (T - 300) = h (T_a - T) with h = 50
    "convection": ({"convection": {"coefficient": times(50), "ambient": times(400)}}, 50, 350),
    "units of both axes": ({"flux": {"value": times("1 kW/m^2")}}, 50, 320),
}


@pytest.mark.parametrize("name", HEAT)
def test_heat(name, tmp_path):
    load, conductivity, right = HEAT[name]
    physics = {"type": "heat", "material": {"conductivity": conductivity}}
    mesh = DECK["mesh"] | {"regions": {"all": "x > -1"}}
    found = ran(tmp_path, {"physics": physics, "mesh": mesh, "boundary": [FIXED, {"on": "right"} | load]})[
        "T"
    ]
    assert found == pytest.approx(right, rel=1e-3)


# E = 1 GPa, 1 m long, Poisson's ratio 0: the right end moves by 1 mm under 1 MPa
LOADS = {
    "pressure": {"pressure": {"table": [[0, 0], [1, "-1 MPa"]], "of": "t"}},
    "traction": {"traction": [times("1 MPa"), 0]},
}


@pytest.mark.parametrize("name", LOADS)
def test_solid(name, tmp_path):
    material = {"young_modulus": {"table": [[0, 2e9], [1, 1e9]], "of": "t"}, "poisson_ratio": 0}
    blocks = {
        "physics": {"type": "elasticity", "geometry": "plane_stress", "material": material},
        "boundary": [{"on": "left", "displacement": 0}, {"on": "right"} | LOADS[name]],
        "quantities": {"u": {"type": "mean", "of": "displacement_x", "on": "right"}},
    }
    assert ran(tmp_path, blocks)["u"] == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("table", "phrase"),
    [
        ({"table": [["0 K", 0], ["1 K", 5]], "of": "t"}, "unit 'K' does not fit: expected s"),
        ({"table": [[0, 0], [1, 5]], "of": "t", "of_unit": "K"}, "unit 'K' does not fit: expected s"),
        ({"table": [[0, 0], [1, 5]], "of": "t", "unit": "W"}, "unit 'W' does not fit: expected W/m^2"),
        ({"table": [["0 s", 0], ["1 s", 5]]}, "unit 's' does not fit: expected K"),
        ({"table": [[0, 0], [1, "5 K"]], "of": "t"}, "unit 'K' does not fit: expected W/m^2"),
    ],
)
def test_refused(table, phrase, tmp_path):
    blocks = {"boundary": [FIXED, {"on": "right", "flux": {"value": table}}]}
    found = case_runs.checked(case_runs.written(tmp_path, DECK | blocks))
    found.refused(phrase, "boundary[1].flux.value")
