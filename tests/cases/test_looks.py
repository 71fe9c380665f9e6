"""Positions, facets and members of an ensemble that a run would refuse, `plexus check` refuses too."""

import pytest
from case_runs import changes, check, checked, written

HEAT = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4], map: [x - y, x + y]}
physics: {type: heat, material: {conductivity: 1}}
boundary:
  - {on: left, temperature: 300}
"""
LAW = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: burgers, viscosity: 0.01}
ensemble: {members: 2, perturbation: 0.1}
boundary:
  - {on: exterior, velocity: 0}
time: {stepper: ssp_rk, end: 0.01 s, step: 0.001 s}
"""
WAVES = """\
plexus: 1
mesh: {type: periodic, cells: [32], size: [22]}
physics: {type: kuramoto_sivashinsky}
time: {stepper: etdrk4, end: 1 s, step: 0.1 s}
"""
CHAIN = """\
plexus: 1
physics: {type: lorenz96, n: 8}
ensemble: {members: 3, perturbation: 0.1}
time: {stepper: runge_kutta, end: 0.1 s, step: 0.01 s}
"""
PLACED = {
    "value": (HEAT, "quantities: {a: {type: value, of: temperature, at: [0.9, 0.5]}}"),
    "line": (HEAT, "output: [{type: probe, line: {start: [0, 0.1], end: [0, 2.1]}}]"),
    "ragged": (HEAT, "output: [{type: probe, points: [[0, 1], [0]]}]"),
    "condition": (HEAT, "  - {at: [0.9, 0.5], temperature: 3}"),
    "cells": (LAW, "quantities: {a: {type: value, of: velocity_mean, at: [3, 0]}}"),
    "grid": (WAVES, "quantities: {a: {type: value, of: u, at: [23]}}"),
    "index": (CHAIN, "quantities: {a: {type: value, of: state, at: [0.5, 1]}}"),
    "member": (CHAIN, "quantities: {a: {type: value, of: state, at: [0, 3]}}"),
    "unknown of members": (LAW, "quantities: {a: {type: maximum, of: velocity^2}}"),
    "output of members": (LAW, "output: [{type: fields, fields: [velocity]}]"),
}
SAID = {
    "value": "deck.yaml:6:53: quantities.a.at: 1 of 1 positions lie outside the mesh: (0.9, 0.5)",
    "line": "output[0].line: 5 of 101 positions lie outside the mesh",
    "ragged": "output[0].points[1]: 1 entry for a 2-D mesh",
    "condition": "deck.yaml:6:11: boundary[1].at: 1 of 1 positions lie outside the mesh",
    "cells": "quantities.a.at: 1 of 1 positions lie outside the mesh: (3, 0)",
    "grid": "quantities.a.at: 1 of 1 positions lie outside the mesh: (23)",
    "index": "quantities.a.at: (0.5, 1) is no value: whole numbers 0 to 7 and 0 to 2 are",
    "member": "quantities.a.at: (0, 3) is no value",
    "unknown of members": "quantities.a.of: velocity: of an ensemble there are velocity_mean and",
    "output of members": "output[0].fields[0]: velocity: of an ensemble there are",
}


@pytest.mark.parametrize("name", PLACED)
def test_what_lies_nowhere_is_refused_before_a_run(tmp_path, name):
    deck, more = PLACED[name]
    checked(written(tmp_path, f"{deck}{more}\n")).refused(SAID[name])


FACETS = {
    "{type: flux, of: heat_flux, by: terms, on: interface}": "8 facets lie inside the body, where nothing is",
    "{type: flux, of: heat_flux, by: terms, on: exterior}": "temperature is prescribed on cold: take a",
    "{type: mean, of: 2*heat_flux_x, on: interface}": "say from which side they are seen",
    "{type: error, of: temperature, exact: x, norm: H1, on: interface}": "say from which side they are seen",
}


@pytest.mark.parametrize("quantity", FACETS)
def test_facets_that_do_not_suit_a_quantity_are_refused_before_a_run(tmp_path, quantity):
    said = check("03_interface_normal", tmp_path, *changes(f"quantities={{a: {quantity}}}"))
    said.refused("quantities.a.on: ", FACETS[quantity])


def test_what_is_continuous_needs_no_side(tmp_path):
    said = check(
        "03_interface_normal",
        tmp_path,
        *changes("quantities={a: {type: mean, of: temperature, on: interface}}"),
    )
    assert said.code == 0, said.said
