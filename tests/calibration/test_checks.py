"""What is wrong with controls and measurements is told with file, line and the next step."""

import h5py
import numpy as np
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
    "calibrate.data[0].deviation: a deviation is a finite number greater than zero": {
        "deviation: 1 K": "deviation: .inf"
    },
    "controls.k.inputs: x is in m, its range is not": {K: NETWORK.replace("PORT", "x: [0 s, 1 s]")},
    "controls.k.inputs: a 2-D mesh has no coordinate z": {K: NETWORK.replace("PORT", "z: [0 m, 1 m]")},
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
    "time.stepper: no gradient leads through petsc_ts: PETSc keeps the stages": {
        "theta,": "{type: petsc_ts, ts: bdf},"
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


def test_a_gradient_alone_is_refused_through_petsc_ts_too(desk):
    text = DECK.replace("theta,", "{type: petsc_ts, ts: bdf},")
    begin, end = text.index("calibrate:"), text.index("output:")
    path = desk.write("deck.yaml", text[:begin] + text[end:])
    assert desk.code("check", path) == 2 and f"{path}:7:17: time.stepper: no" in desk.said
    assert "use theta or bdf2" in desk.said
    path.write_text(text[:begin])
    assert desk.code("check", path, "--taylor") == 2 and "use theta or bdf2" in desk.said


def test_adaptive_steps_are_a_doubt_where_derivatives_are_wanted(desk):
    desk.write("tc.csv", TABLE)
    adaptive = DECK.replace("step: 1 s, end: 10 s", "step: 1 s, end: 10 s, adaptive: {tolerance: 1e-3}")
    desk.do("check", desk.write("deck.yaml", adaptive))
    for place in ("calibrate", "output[0]"):
        assert f"{place}: adaptive steps follow from the controls, and derivatives count" in desk.said
    desk.do("check", desk.write("deck.yaml", DECK))
    assert "adaptive steps" not in desk.said


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
    assert "tc.csv: no number in 2 of 5 rows (lines 4, 5): left out" in desk.said


def test_fields_of_another_program_are_told_from_damaged_ones(desk):
    import h5py

    with h5py.File(desk.folder / "other.vtkhdf", "w") as file:
        file["VTKHDF/PointData/temperature"] = [300.0]
    entry = "type: fields, file: other.vtkhdf, of: temperature, deviation: 1 K"
    path = desk.write("deck.yaml", DECK.partition("  data:")[0] + f"  data: [{{{entry}}}]\n")
    assert desk.code("calibrate", path, "-o", str(desk.folder / "out")) == 2
    assert "other.vtkhdf: not written by a run; of another program take its points" in desk.said


def test_a_start_that_was_fitted_to_the_same_data_counts_them_twice(desk):
    """Without a regularisation it is only where the method begins; other columns are other data."""
    desk.write("tc.csv", TABLE)
    path = desk.write("deck.yaml", DECK)
    desk.do("calibrate", path, out="fit")
    known = "regularisation: {weight: 0.01}, bounds: [1, 100]"
    deck = DECK.replace("bounds: [1, 100]", known)
    begin, end = deck.index("controls:"), deck.index("mesh:")
    include = deck[:begin] + f"include: {desk.folder}/fit/fitted.yaml\n" + deck[end:]
    desk.do("check", desk.write("again.yaml", include))
    fitted = desk.folder / "fit/fitted.yaml"
    fitted.write_text(fitted.read_text().replace("regularisation: null", "regularisation: {weight: 0.01}"))
    for command, *words in (["check"], ["calibrate", "-o", str(desk.folder / "out")]):
        assert desk.code(command, desk.folder / "again.yaml", *words) == 2
        assert "controls.k: its start was fitted to tc.csv already" in desk.said
    desk.write("tc.csv", TABLE + "3, 302\n")
    desk.do("check", desk.folder / "again.yaml")


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


STEADY = {
    "time: {stepper: theta, step: 1 s, end: 10 s}\n": "",
    "type: series": "type: sensors",
    "at: [0.5, 0.5], ": "",
    ", density: 1, specific_heat: 100 J/(kg K)": "",
}


def steady(**words):
    text = DECK
    for old, new in (STEADY | words).items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_measurements_off_a_flat_mesh(desk):
    desk.write("tc.csv", "x [m], y [m], z [m], T [K]\n0.5, 0.5, 0, 300\n0.6, 0.5, 7, 300\n")
    path = desk.write("deck.yaml", steady())
    assert desk.code("calibrate", path, "-o", str(desk.folder / "out")) == 2
    assert "1 of 2 positions lie off a 2-D mesh, the first at (0.6, 0.5, 7)" in desk.said


def test_a_control_whose_effect_is_rounding(desk):
    """Between two held sides the temperature is linear, whatever the conductivity."""
    desk.write("tc.csv", "x [m], y [m], T [K]\n0.3, 0.5, 303\n0.6, 0.5, 306\n")
    path = desk.write("deck.yaml", steady(**{"flux: 10 W/m^2": "temperature: 310 K"}))
    assert desk.code("calibrate", path, "-o", str(desk.folder / "out")) == 2
    assert "controls.k: no measurement depends on it: measure elsewhere" in desk.said


def test_a_number_that_starts_at_zero_is_judged_in_its_own_size(desk):
    """T = 300 K + q (x - x²/2)/(40 W/(m K)) for x in m, so that J and with it λ are known in closed form."""
    rows = [f"{x}, 0.5, {300 + 40 * x - 20 * x * x}" for x in (0.25, 0.5, 0.75, 1)]
    desk.write("tc.csv", "\n".join(["x [m], y [m], T [K]", *rows]))
    words = {
        K: "q: {type: scalar, unit: W/m^3, start: 0}",
        "conductivity: k}": "conductivity: 40}, source: q",
        "flux: 10 W/m^2": "flux: 0",
    }
    told = desk.do("calibrate", desk.write("deck.yaml", steady(**words)), out="out")["calibration"]
    assert told["controls"]["q"]["values"][0] == pytest.approx(1600, rel=2e-2)
    assert told["controls"]["q"]["std"][0] == pytest.approx(40 / sum(r * r for r in RISE) ** 0.5, rel=5e-2)
    assert told["determined"] > 0.99


RISE = [x - x * x / 2 for x in (0.25, 0.5, 0.75, 1)]


@pytest.mark.parametrize("time", ["steady", "march"])
def test_knots_that_the_run_never_comes_near_to(desk, time):
    desk.write("tc.csv", TABLE if time == "march" else "x [m], y [m], T [K]\n0.3, 0.5, 303\n")
    table = {K: "k: {type: table, unit: W/(m K), start: 40, knots: [0 s, 5 s, 20 s, 50 s]}"}
    text = steady(**table) if time == "steady" else DECK.replace(*next(iter(table.items())))
    desk.do("check", desk.write("deck.yaml", text))
    ends, lost = ("0 to 0 s", "5 s, 20 s, 50 s") if time == "steady" else ("0 to 10 s", "50 s")
    assert f"controls.k.knots: the run goes from {ends}: no data tell of the values at {lost}\n" in desk.said


def test_initial_values_matter_where_a_network_reads_the_unknown(desk):
    desk.write("tc.csv", "x [m], y [m], T [K]\n0.3, 0.5, 303\n")
    start = {"quantities:": "initial: {temperature: 400 K}\nquantities:"}
    desk.do("check", desk.write("deck.yaml", steady(**start)))
    assert "no initial value has an effect" in desk.said
    words = start | {K: NETWORK.replace("PORT", "temperature: [300 K, 400 K]")}
    desk.do("check", desk.write("deck.yaml", steady(**words)))
    assert "no initial value has an effect" not in desk.said


def test_one_thermocouple_on_two_ranks(desk):
    """One rank has no reading, and takes part in the way back all the same."""
    desk.write("tc.csv", "time [s], T [K]\n1, 300.01\n4, 300.04\n8, 300.07\n")
    path, found = desk.write("deck.yaml", DECK), []
    for ranks in (1, 2):
        code = desk.code("calibrate", path, "-o", str(desk.folder / f"on{ranks}"), ranks=ranks)
        assert code == 0, desk.said
        with h5py.File(desk.folder / f"on{ranks}/calibration.h5") as file:
            found.append(file["history"][0])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-7)


def test_a_fit_in_which_every_number_is_held_says_so(desk):
    desk.write("tc.csv", "time [s], T [K]\n1, 350\n9, 390\n")
    low = DECK.replace("bounds: [1, 100]", "bounds: [39, 41]")
    desk.do("calibrate", desk.write("deck.yaml", low), out="out")
    assert "held by its bound" in desk.said and "every number is held by its bound" in desk.said


def test_taylor_tells_of_steps_that_follow_from_the_numbers(desk):
    desk.write("tc.csv", TABLE)
    text = DECK.replace("step: 1 s", "step: 0.1 s, adaptive: {tolerance: 1e-3}")
    assert desk.code("check", desk.write("deck.yaml", text), "--taylor") == 5
    assert "steps that follow from the numbers count as given in derivatives" in desk.said


FLOW = """plexus: 1
controls:
  nu: {type: scalar, unit: m^2/s, start: 0.1}
  f: {type: nodal, unit: m/s^2, start: 0}
mesh: {type: periodic, cells: [8, 8], size: [1, 1]}
physics: {type: navier_stokes, viscosity: nu, force: [f, 0]}
time: {stepper: etdrk4, end: 0.1 s, step: 0.01 s}
"""
CELLS = """plexus: 1
controls: {a: {type: scalar, unit: m/s, start: 1}}
mesh: {type: interval, cells: 8}
physics: {type: advection_diffusion, velocity: [a]}
boundary: [{on: left, flux: 0}]
time: {stepper: ssp_rk, end: 0.1 s, step: 0.01 s}
"""
CHAIN = """plexus: 1
controls: {F: {type: scalar, start: 8}}
physics: {type: lorenz96, n: 8, forcing: F}
time: {stepper: runge_kutta, end: 0.1 s, step: 0.01 s}
"""
LAWS = "{type: network, unit: m/s, start: 1, inputs: {concentration: [0, 1]}}"
RODS = """plexus: 1
controls: {z: {type: scalar, start: 1}}
mesh: {type: periodic, cells: [16, 16], size: [10, 10]}
physics: {type: active_fluid, zeta: z}
time: {stepper: sbdf2, end: 0.1 s, step: 0.05 s}
"""
ELSEWHERE = [
    (RODS, {"zeta: z": "zeta: z, start: nematic"}, "start: nematic follows from zeta/d_R without a gradient"),
    (
        FLOW,
        {"type: nodal": "type: cells"},
        "controls.f.type: there are points and no cells: take a nodal control",
    ),
    (FLOW, {"viscosity: nu": "viscosity: 0.1"}, "controls.nu: nothing reads it"),
    (
        FLOW,
        {"viscosity: nu": "viscosity: nu*f/(1 m/s^2)"},
        "made of scalar controls, and 'f' is no single number",
    ),
    (
        FLOW,
        {"unit: m^2/s, start: 0.1": "unit: m/s, start: 0.1"},
        "physics.viscosity: unit 'm/s' does not fit",
    ),
    (FLOW, {"start: 0.1}": "start: -0.1}"}, "physics.viscosity: must be > 0"),
    (
        CELLS,
        {"{type: scalar, unit: m/s, start: 1}": LAWS},
        "the velocity is given: a is not one of x, y, z, t",
    ),
    (
        CELLS,
        {"[a]}": "[1], source: a}", "flux: 0": "flux: a", "{type: scalar, unit: m/s, start: 1}": LAWS},
        "boundary[0].flux: sides of a grid know x, y, z, t and controls that read no field, not a",
    ),
    (
        CHAIN,
        {"{type: scalar": "{type: nodal, regularisation: {norm: H1, weight: 1, length: 1}"},
        "controls.F.regularisation.norm: indices have no distance",
    ),
    (
        CHAIN,
        {"{type: scalar": "{type: network, inputs: {state: [-9, 9]}"},
        "physics.forcing: depends on unknowns, so that no start follows from it: give initial.state",
    ),
    (CHAIN, {"forcing: F": "forcing: 8"}, "controls.F: nothing reads it"),
]


@pytest.mark.parametrize(("deck", "changes", "message"), ELSEWHERE)
def test_wrong_decks_elsewhere(desk, deck, changes, message):
    for old, new in changes.items():
        assert old in deck
        deck = deck.replace(old, new)
    path = desk.write("deck.yaml", deck)
    assert desk.code("check", path) == 2
    line = next((line for line in desk.said.splitlines() if message in line), desk.said)
    assert line.startswith(f"{path}:") and message in line
