"""Fits end to end: a coefficient over time, a field, a law as a network; noisy data from other meshes."""

import h5py
import numpy as np
import pytest

from plexus import registry
from plexus.deck.load import load

FILM = """
plexus: 1
CONTROLS
mesh: {type: box, cell: quadrilateral, cells: [CELLS, 1], size: [10 mm, 2 mm]}
physics:
  type: heat
  material: {conductivity: 20 W/(m K), density: 7900 kg/m^3, specific_heat: 500 J/(kg K)}
initial: {temperature: 300 K}
boundary: [{on: left, convection: {coefficient: COEFFICIENT, ambient: 900 K}}]
time: {stepper: bdf2, step: STEP s, end: 60 s}
output: [{type: probe, name: tc, points: [[2 mm, 1 mm]], every: 1 steps}]
"""
KNOTS = np.arange(0, 61, 10.0)
TABLE = """controls:
  h:
    type: table
    unit: W/(m^2 K)
    knots: [0 s, 10 s, 20 s, 30 s, 40 s, 50 s, 60 s]
    start: 400
    bounds: [0, null]
    regularisation: {norm: H1, weight: 1e-6, length: 30 s}
calibrate:
  tolerance: 1e-4
  data:
    - {type: series, file: tc.csv, column: T, of: temperature, at: [2 mm, 1 mm], deviation: DEVIATION K}"""


def film(t):
    return 500 + 200 * np.sin(2 * np.pi * t / 60)


def calibrated(desk, path, out, *words):
    told = desk.do("calibrate", path, *words, out=out)
    return told["calibration"], h5py.File(desk.folder / out / "calibration.h5")


def test_a_coefficient_over_time_from_one_thermocouple(desk):
    """Within 5 % rms, and nine of ten intervals of two deviations hold the truth."""
    truth = {"CONTROLS": "parameters: {}", "CELLS": "31", "STEP": "0.5",
             "COEFFICIENT": '"500 + 200*sin(2*pi*t/60)"'}  # fmt: skip
    desk.do("run", desk.write("truth.yaml", put(FILM, truth)), out="truth")
    with h5py.File(desk.folder / "truth/series.h5") as file:
        t, exact = file["probes/tc/time"][1:], file["probes/tc/temperature"][1:]
    sigma = 0.01 * np.ptp(exact)
    noisy = exact + sigma * np.random.default_rng(2).standard_normal(len(t))
    rows = [f"{a!r}, {b - 273.15!r}" for a, b in zip(t.tolist(), noisy.tolist(), strict=True)]
    desk.write("tc.csv", "\n".join(["time [s], T [degC]", *rows]))
    here = {"CONTROLS": TABLE, "CELLS": "12", "STEP": "2", "COEFFICIENT": "h", "DEVIATION": f"{sigma:.4f}"}
    told, file = calibrated(desk, desk.write("fit.yaml", put(FILM, here)), "fit")
    values, std = file["controls/h/values"][...], file["controls/h/std"][...]
    fine = np.linspace(0, 60, 601)
    error = np.interp(fine, KNOTS, values) - film(fine)
    assert np.sqrt(np.mean(error**2)) <= 0.05 * np.sqrt(np.mean(film(fine) ** 2))
    assert np.mean(np.abs(values - film(KNOTS)) <= 2 * std) >= 0.85
    assert 0.8 <= told["rms"] <= 1.2 and told["converged"]
    again = desk.folder / "fit/fitted.yaml"
    plain = put(FILM, here | {"CONTROLS": f"include: {again}"})
    desk.do("run", desk.write("again.yaml", plain), out="again")
    assert load(desk.folder / "again.yaml").controls["h"].start == tuple(values)


def put(text, words):
    for name, value in words.items():
        text = text.replace(name, value)
    return text


FIELD = """
plexus: 1
CONTROLS
mesh: {type: box, cell: quadrilateral, cells: [CELLS, CELLS], size: [1 m, 1 m]}
physics: {type: heat, material: {conductivity: COEFFICIENT}, source: 2000 W/m^3}
boundary:
  - {on: [left, bottom], temperature: 300 K}
  - {on: right, convection: {coefficient: 5 W/(m^2 K), ambient: 300 K}}
solver: {temperature: {preconditioner: lu}}
output: [{type: probe, name: sensors, points: POINTS}]
"""
NODAL = """controls:
  k:
    type: nodal
    unit: W/(m K)
    start: 10
    bounds: [1, 100]
    regularisation: {norm: H1, weight: 1.5, length: 0.3 m}
calibrate:
  data: [{type: sensors, file: sensors.csv, column: T, of: temperature, deviation: 0.5 K}]"""
PLACES = [[(i + 0.5) / 5, (j + 0.5) / 4] for i in range(5) for j in range(4)]


def conductivity(x):
    return 10 + 4 * np.sin(np.pi * x[:, 0]) * np.cos(np.pi * x[:, 1]) + 2 * x[:, 0] * x[:, 1]


@pytest.fixture
def sensors(desk):
    """Write 20 temperatures with normal noise of 0.5 K."""
    law = '"10 + 4*sin(pi*x)*cos(pi*y) + 2*x*y"'
    words = {"CONTROLS": "parameters: {}", "CELLS": "30", "COEFFICIENT": law, "POINTS": str(PLACES)}
    desk.do("run", desk.write("truth.yaml", put(FIELD, words)), out="truth")
    with h5py.File(desk.folder / "truth/series.h5") as file:
        exact = np.array([file[f"probes/sensors/temperature_{i}"][-1] for i in range(20)])
    noisy = exact + 0.5 * np.random.default_rng(8).standard_normal(20)
    rows = [f"{x!r}, {y!r}, {t!r}" for (x, y), t in zip(PLACES, noisy.tolist(), strict=True)]
    desk.write("sensors.csv", "\n".join(["x [m], y [m], T [K]", *rows]))
    return noisy


def fit_field(desk, cells, *words):
    text = put(FIELD, {"CONTROLS": NODAL, "CELLS": str(cells), "COEFFICIENT": "k", "POINTS": "[[0.5, 0.5]]"})
    told, file = calibrated(desk, desk.write(f"fit{cells}.yaml", text), f"fit{cells}", *words)
    with file:
        group = file["controls/k"]
        return told, group["places"][...], group["values"][...], group["std"][...], group["seen"][...]


def test_a_field_from_twenty_sensors(desk, sensors):
    """Near to the best linear estimate, covered by its deviations, and the unseen part is told."""
    told, x, k, std, seen = fit_field(desk, 8)
    best = linear_bayes(desk, 8, sensors, conductivity(x))
    truth = conductivity(x)
    assert np.linalg.norm(k - truth) <= 1.15 * np.linalg.norm(best - truth)
    assert np.linalg.norm(k - truth) < 0.8 * np.linalg.norm(10 - truth)  # than what was known before
    assert np.mean(np.abs(k - truth) <= 2 * std) >= 0.9
    assert told["determined"] < 20 < told["numbers"] == 81
    corner = np.linalg.norm(x, axis=1).argmin()
    assert seen[corner] < 0.2 < seen.max()  # where both sides are held hardly any heat flows
    assert "the data determine" in desk.said and "of 81 directions" in desk.said


def linear_bayes(desk, cells, data, truth):
    """Return m_0 + (JᵀJ + R)⁻¹ Jᵀ (d - y(m) - J (m_0 - m))/σ, J at the truth m by differences."""
    from mpi4py import MPI

    from plexus.calibration.main import objective_of, readings_of
    from plexus.compose import compose
    from plexus.coupling.numbers import Numbers
    from plexus.driver import share
    from plexus.runtime import context
    from plexus.runtime.log import Log

    ctx = context.create(MPI.COMM_WORLD, desk.folder / "bayes")
    ctx.log = Log(MPI.COMM_WORLD)
    deck = share(MPI.COMM_WORLD, desk.folder / f"fit{cells}.yaml", [])
    run = compose(deck, ctx)
    numbers = Numbers({"k": registry.build("control", deck.controls["k"])}, run.system.controls)
    problem = objective_of(run, numbers, readings_of(deck, ctx))
    r = problem.misfit.residuals(truth)
    j = np.stack(
        [(problem.misfit.residuals(truth + h) - r) / 1e-4 for h in 1e-4 * np.eye(len(truth))], axis=1
    )
    seen = -r - j @ (problem.mean - truth)
    return problem.mean + np.linalg.solve(j.T @ j + problem.prior.dense(), j.T @ seen)


def test_the_field_does_not_depend_on_the_mesh(desk, sensors):
    _, x, coarse, *_ = fit_field(desk, 8)
    _, y, fine, *_ = fit_field(desk, 16)
    found = {tuple(np.round(p, 9)): v for p, v in zip(y, fine, strict=True)}
    other = np.array([found[tuple(np.round(p, 9))] for p in x])
    assert np.linalg.norm(other - coarse) <= 0.05 * np.linalg.norm(coarse)


@pytest.mark.parametrize("method", ["lbfgs", "tao"])
def test_methods_agree(desk, sensors, method):
    _, _, k, *_ = fit_field(desk, 6)
    told, _, other, *_ = fit_field(
        desk,
        6,
        "-s",
        f"calibrate.method={method}",
        "-s",
        "calibrate.iterations=300",
        "-s",
        "calibrate.tolerance=1e-9",
    )
    assert told["converged"] and np.abs(other - k).max() <= 0.01 * np.abs(k).max()


LAW = """
plexus: 1
CONTROLS
mesh: {type: box, cell: quadrilateral, cells: [CELLS, 1], size: [100 mm, 10 mm]}
physics: {type: heat, material: {conductivity: COEFFICIENT}}
boundary: [{on: left, flux: 50 kW/m^2}, {on: right, temperature: 300 K}]
initial: {temperature: 450 K}
solver: {temperature: {preconditioner: lu}}
output: [{type: fields, every: end, fields: [temperature]}]
"""
NETWORK = """controls:
  k:
    type: network
    unit: W/(m K)
    inputs: {temperature: [300 K, 700 K]}
    start: 12
    positive: true
    hidden: [4]
    seed: 1
    regularisation: {weight: 1e-2}
calibrate:
  iterations: 80
  tolerance: 2e-3
  data: [{type: fields, file: truth/fields.vtkhdf, of: temperature, deviation: 0.2 K}]"""


@pytest.fixture
def law(desk):
    """Write the temperatures of a plate with k = 12 + 5 tanh((T - 450)/80), and the deck of a network."""
    tanh = '"12 + 5*tanh((temperature - 450)/80)"'
    words = {"CONTROLS": "parameters: {}", "CELLS": "37", "COEFFICIENT": tanh}
    desk.do("run", desk.write("truth.yaml", put(LAW, words)), out="truth")
    return desk.write("fit.yaml", put(LAW, {"CONTROLS": NETWORK, "CELLS": "16", "COEFFICIENT": "k"}))


def test_a_law_as_a_network_from_temperatures_alone(desk, law):
    _, file = calibrated(desk, law, "fit")
    deck = load(law)
    network = registry.build("control", deck.controls["k"])
    with h5py.File(desk.folder / "truth/fields.vtkhdf") as fields:
        visited = fields["VTKHDF/PointData/temperature"][...]
    t = np.linspace(visited.min(), visited.max(), 300)
    k = network.value(file["controls/k/values"][...], {"temperature": t})
    assert np.abs(k / (12 + 5 * np.tanh((t - 450) / 80)) - 1).max() <= 0.02
    everywhere = network.value(file["controls/k/values"][...], {"temperature": np.linspace(-1e4, 1e4, 999)})
    assert (everywhere > 0).all()
    course = file["controls/k/courses/temperature"]
    np.testing.assert_allclose(
        course["values"], network.value(file["controls/k/values"][...], {"temperature": course["at"][...]})
    )
    np.testing.assert_allclose(course["start"], 12)
    assert course.attrs["unit"] == "K" and course["std"][-1] > course["std"][50] > 0


def test_two_ranks_fit_as_one_does(desk, law):
    """The same losses to 1e-10 all along."""
    few = ["-s", "calibrate.iterations=5"]
    histories = []
    for ranks in (1, 2):
        desk.code("calibrate", law, "-o", str(desk.folder / f"on{ranks}"), *few, ranks=ranks)
        with h5py.File(desk.folder / f"on{ranks}/calibration.h5") as file:
            histories.append(file["history"][...])
    np.testing.assert_allclose(histories[1][:, :2], histories[0][:, :2], rtol=1e-10)


def test_a_fit_goes_on_from_an_earlier_one(desk, law):
    """`fitted` is met exactly: the first objective is the last one of before."""
    few = ["-s", "calibrate.iterations=3"]
    assert desk.code("calibrate", law, "-o", str(desk.folder / "first"), *few) == 3
    assert "3 iterations were not enough; what was reached is in" in desk.said
    more = ["-s", f"controls.k.fitted={desk.folder}/first/calibration.h5"]
    desk.code("calibrate", law, "-o", str(desk.folder / "second"), *few, *more)
    with (
        h5py.File(desk.folder / "first/calibration.h5") as a,
        h5py.File(desk.folder / "second/calibration.h5") as b,
    ):
        assert b["history"][0, 1] == pytest.approx(a["history"][-1, 1], rel=1e-9)
