"""Units of computed quantities, of references, and of what `${...}` calculates."""

import case_runs
import pytest

SIZE = ["${L/2}", "${L}"]
DECK = {
    "plexus": 1,
    "parameters": {"L": "200 mm", "p": "3 MPa", "T_a": "20 degC", "k": "20 W/(m K)", "n": 2},
    "mesh": {
        "type": "box",
        "cell": "quadrilateral",
        "cells": ["${n*2}", "${2*n}"],
        "size": ["${L/2}", "${L}"],
    },
    "physics": {"type": "heat", "material": {"conductivity": "${2*k} + 0*x"}},
    "boundary": [
        {"on": "left", "temperature": "${T_a + 10}"},
        {"on": "right", "flux": "${k*10 K}*${L}/${L}^2"},
        {"on": "top", "convection": {"coefficient": "${k/L}", "ambient": "${(T_a + 30 degC)/2}"}},
    ],
}
QUANTITIES = {
    "rise": ("mean", "temperature - 300 K", "K"),
    "share": ("mean", "temperature/300 K", ""),
    "moment": ("integral", "x*heat_flux_x", "W m"),
    "energy": ("integral", "7800 kg/m^3*500 J/(kg K)*(temperature - 20 degC)", "N"),
    "open": ("mean", "2*temperature", ""),
    "norm": ("norm", "temperature - 300 K", "K m"),
    "speed": ("maximum", "sqrt(heat_flux_x^2 + heat_flux_y^2)", "W/m^2"),
    "place": ("value", "x + y", "m"),
}


def written(folder, **blocks):
    """Write the deck with other blocks; return the folder."""
    return case_runs.written(folder, DECK | blocks)


def test_units_are_told(tmp_path):
    quantities = {n: {"type": kind, "of": of} for n, (kind, of, _) in QUANTITIES.items()}
    quantities["place"]["at"] = [0.05, 0.1]
    found = case_runs.ran(written(tmp_path, quantities=quantities)).summary()["units"]
    assert found == {name: unit for name, (_, _, unit) in QUANTITIES.items()}


def heat(conductivity):
    """Return a block of physics."""
    return {"physics": {"type": "heat", "material": {"conductivity": conductivity}}}


def mean(**reference):
    """Return blocks with a mean temperature and its reference."""
    return {
        "quantities": {"T": {"type": "mean", "of": "temperature"}},
        "verification": [{"quantity": "T", "source": "a book"} | reference],
    }


@pytest.mark.parametrize(
    ("blocks", "phrase"),
    [
        (heat("${2*p}"), "unit 'Pa' does not fit"),
        (heat("${2*p} + 0*x"), "does not fit: expected W/(m K)"),
        (heat("${k + p}"), "'k' is in W/(m K), 'p' in Pa"),
        ({"boundary": [{"on": "left", "temperature": "${T_a + 10 degC}"}]}, "a difference is written in K"),
        ({"boundary": [{"on": "left", "temperature": "${L}"}]}, "unit 'mm' does not fit: expected K"),
        ({"mesh": DECK["mesh"] | {"grading": ["${L}", "${L*2}"]}}, "mesh.grading"),
        (
            mean(reference="3 MPa", tolerance=0.1),
            "verification[0].reference: '3 MPa' does not fit: T is in K",
        ),
        (mean(reference=300, absolute_tolerance="1 m"), "absolute_tolerance: '1 m' does not fit: T is in K"),
    ],
)
def test_refused(blocks, phrase, tmp_path):
    case_runs.checked(written(tmp_path, **blocks)).refused(phrase)


DIFFUSION = {"type": "diffusion", "field": "c", "unit": "K", "coefficient": "50 W/(m K)"}


@pytest.mark.parametrize(
    ("physics", "load", "phrase"),
    [
        ({}, {"flux": "5 W/m^2"}, ""),
        ({"source": "5 W/m^3", "capacity": "4e6 J/(m^3 K)"}, {"robin": {"coefficient": "9 W/(m^2 K)"}}, ""),
        ({"coefficient": 50}, {"flux": "5 W/m^2"}, ""),
        (
            {"coefficient": {"table": [[0, 50], [1, 60]], "of": "x", "unit": "W/(m K)"}},
            {"flux": "5 W/m^2"},
            "",
        ),
        ({}, {"flux": "5 mol/(m^2 s)"}, "unit 'mol/(m^2 s)' does not fit: expected W/m^2"),
        ({}, {"robin": {"coefficient": "9 W/m^2"}}, "does not fit"),
        ({"source": "5 W/m^2"}, {}, "physics.source: unit 'W/m^2' does not fit"),
        ({"capacity": "5 J/kg"}, {}, "physics.capacity: unit 'J/kg' does not fit"),
        ({"coefficient": {"table": [[0, 50], [1, 60]], "unit": "W/(m K)"}}, {}, "temperature"),
    ],
)
def test_a_balance_whose_units_are_the_users(physics, load, phrase, tmp_path):
    boundary = [{"on": "left", "c": 300}, {"on": "right", "flux": 0} | load]
    found = case_runs.checked(written(tmp_path, physics=DIFFUSION | physics, boundary=boundary))
    assert (found.code, "Traceback" in found.said) == (2 if phrase else 0, False), found.said
    assert phrase in found.said, found.said
