"""What is wrong with controls and measurements is told with file, line and the next step."""

import pytest

DECK = """plexus: 1
controls:
  k: {type: scalar, unit: W/(m K), start: 40 W/(m K), bounds: [1, 100]}
mesh: {type: box, size: [1, 1], cells: [4, 4], cell: triangle}
physics: {type: heat, material: {conductivity: k, density: 1, specific_heat: 100 J/(kg K)}}
boundary: [{on: left, temperature: 300 K}, {on: right, flux: 10 W/m^2}]
time: {stepper: theta, step: 1 s, end: 10 s}
quantities: {top: {type: maximum, of: temperature}, mean: {type: mean, of: temperature}}
calibrate:
  data: [{type: series, file: tc.csv, column: T, of: temperature, at: [0.5, 0.5], deviation: 1 K}]
output: [{type: gradient, of: mean}]
"""
TABLE = "time [s], T [K]\n1, 300\n2, 301\n"
K = "k: {type: scalar, unit: W/(m K), start: 40 W/(m K), bounds: [1, 100]}"
NETWORK = "k: {type: network, unit: W/(m K), start: 1, inputs: {PORT}}"
CASES = {
    "controls.k: nothing reads it": {"conductivity: k": "conductivity: 40"},
    "controls.k.start: unit 'W' does not fit: expected W/(m K)": {"40 W/(m K),": "40 W,"},
    "controls.k: starts at 400, outside its bounds 1 to 100": {"40 W/(m K),": "400 W/(m K),"},
    "controls.k.unit: 'mW/(m K)' is not of SI": {"unit: W/(m K)": "unit: mW/(m K)"},
    "physics.material.conductivity: unit 'K' does not fit": {
        "unit: W/(m K), start: 40 W/(m K)": "unit: K, start: 40 K"
    },
    "output[0].of: top is a maximum: an extremum is not differentiable: take a norm": {
        "of: mean}]": "of: top}]"
    },
    "output[0].of: no quantity is called 'meen'; did you mean 'mean'?": {"of: mean}]": "of: meen}]"},
    "calibrate.data[0].of: 'heat_flux' is no scalar unknown": {"of: temperature, at": "of: heat_flux, at"},
    "calibrate.data[0].deviation: a deviation is a difference: write 1 K": {
        "deviation: 1 K": "deviation: 1 degC"
    },
    "calibrate.data[0].at: a position in a 2-D mesh has 2 coordinates, not 1": {
        "at: [0.5, 0.5]": "at: [0.5]"
    },
    "controls.k.inputs.temperatur: no field is called 'temperatur'; did you mean 'temperature'": {
        K: NETWORK.replace("PORT", "temperatur: [1, 2]")
    },
    "controls.k.inputs.temperature: temperature is in K, its range is not": {
        K: NETWORK.replace("PORT", "temperature: [1 m, 2 m]")
    },
    "controls.k.inputs.heat_flux: heat_flux is a vector: a port takes a scalar": {
        K: NETWORK.replace("PORT", "heat_flux: [1, 2]")
    },
    "boundary[0].temperature: the control 'k' has no value here": {
        K: "k: {type: cells, unit: K, start: 1}",
        "conductivity: k": "conductivity: 40",
        "temperature: 300 K": "temperature: k",
    },
    "controls.k.regularisation: H1 needs a length": {
        "bounds: [1, 100]": "regularisation: {norm: H1, weight: 1}"
    },
}


@pytest.mark.parametrize("message", CASES)
def test_wrong_decks(desk, message):
    text = DECK
    for old, new in CASES[message].items():
        assert old in text
        text = text.replace(old, new)
    desk.write("tc.csv", TABLE)
    path = desk.write("deck.yaml", text)
    assert desk.code("check", path) == 2
    line = next(line for line in desk.said.splitlines() if message in line)
    assert line.startswith(f"{path}:")


TABLES = {
    "tc.csv:1: column 'T': unit 'm' does not fit: expected K": "time [s], T [m]\n1, 300\n",
    "tc.csv:1: column 'T' states no unit: write it into the header, such as 'T [K]'": "time [s], T\n1, 300\n",
    "tc.csv:1: no column is called 'T'": "time [s], U [K]\n1, 300\n",
    "tc.csv:3: time 12 s, and 1 more, lies outside of the run, 0 to 10 s: choose `window: [0 s, 10 s]`": (
        "time [s], T [K]\n1, 300\n12, 300\n13, 300\n"
    ),
}


@pytest.mark.parametrize("message", TABLES)
def test_wrong_measurements(desk, message):
    desk.write("tc.csv", TABLES[message])
    path = desk.write("deck.yaml", DECK)
    assert desk.code("check", path) == 2
    assert message in desk.said and f"{path}:10:" in desk.said


def test_rows_without_numbers_are_counted_and_named(desk):
    desk.write("tc.csv", TABLE + "3, nan\n4, \n5, 302\n")
    desk.do("check", desk.write("deck.yaml", DECK))
    assert "calibrate.data[0]: " in desk.said
    assert "tc.csv: 2 of 5 rows hold no number and are left out: lines 4, 5" in desk.said


def test_a_window_leaves_rows_out(desk):
    desk.write("tc.csv", TABLE + "30, 302\n")
    desk.do(
        "check",
        desk.write("deck.yaml", DECK.replace("deviation: 1 K", "deviation: 1 K, window: [0 s, 10 s]")),
    )


def test_a_control_that_no_measurement_depends_on(desk):
    """The source is read by the model, but the place is held at a value."""
    desk.write("tc.csv", TABLE)
    path = desk.write("deck.yaml", DECK.replace("at: [0.5, 0.5]", "at: [0.0, 0.5]"))
    assert desk.code("calibrate", path, "-o", str(desk.folder / "out")) == 2
    assert "controls.k: no measurement depends on it: measure elsewhere" in desk.said
