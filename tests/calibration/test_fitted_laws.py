"""A law of a solid with memory is found from how a body moves under loads; its derivatives are right."""

import h5py
import numpy as np
import pytest

BAR = """
plexus: 1
CONTROLS
tables: {pull: {times: [0 s, 2 s, 20 s, 22 s, 40 s], values: [0 MPa, 100 MPa, 100 MPa, 150 MPa, 150 MPa]}}
mesh:
  type: box
  cell: quadrilateral
  cells: CELLS
  size: [20 mm, 4 mm]
  map: [x, "y*(1 - 0.02*x/(1 mm))"]
physics:
  type: elastoviscoplastic
  geometry: plane_strain
  locking: b_bar
  law: {type: norton, young_modulus: 200 GPa, poisson_ratio: 0.3, viscosity: {drag: DRAG, exponent: EXPONENT}}
boundary:
  - {on: left, displacement: [0, null]}
  - {on: bottom, displacement: [null, 0]}
  - {on: right, traction: [pull(t), 0]}
time: {stepper: quasistatic, step: STEP s, end: 40 s}
output: [{type: probe, name: end, points: [[20 mm, 1 mm]], every: 1 steps}]
"""
CONTROLS = """controls:
  K: {type: scalar, unit: Pa, start: 1.15 GPa, bounds: [1 MPa, null]}
  N: {type: scalar, start: 3.5, bounds: [1, 20]}
calibrate:
  tolerance: 1e-3
  data:
    - {type: series, file: end.csv, column: end, of: displacement_x, at: [20 mm, 1 mm], deviation: 2 um}"""


def bar(**values):
    text = BAR
    for name, value in values.items():
        text = text.replace(name, value)
    return text


@pytest.fixture
def fit(desk):
    """Return the deck of a fit to noisy readings of a finer computation in finer steps."""
    truth = bar(CONTROLS="parameters: {}", CELLS="[8, 2]", STEP="1", DRAG="1 GPa", EXPONENT="4")
    desk.do("run", desk.write("truth.yaml", truth), out="truth")
    with h5py.File(desk.folder / "truth/series.h5") as file:
        t, exact = (file[f"probes/end/{name}"][2::2] for name in ("time", "displacement_x"))
    noisy = exact * 1e6 + 2.0 * np.random.default_rng(3).standard_normal(len(t))
    rows = [f"{a!r}, {b!r}" for a, b in zip(t.tolist(), noisy.tolist(), strict=True)]
    desk.write("end.csv", "\n".join(["time [s], end [um]", *rows]))
    return desk.write("fit.yaml", bar(CONTROLS=CONTROLS, CELLS="[4, 1]", STEP="2", DRAG="K", EXPONENT="N"))


def test_drag_and_exponent_of_creep(desk, fit):
    told = desk.do("calibrate", fit, out="fit")["calibration"]
    assert told["converged"] and 0.6 <= told["rms"] <= 1.3
    with h5py.File(desk.folder / "fit/calibration.h5") as file:
        for name, truth in {"K": 1e9, "N": 4.0}.items():
            value, std = (float(file[f"controls/{name}/{key}"][0]) for key in ("values", "std"))
            # the readings tell each of them, and the truth is among what they leave open
            assert abs(value - truth) <= 3 * std and std <= 0.25 * truth


def test_derivatives_of_the_misfit_are_right(desk, fit):
    assert desk.code("check", fit, "--taylor") == 0, desk.said
    assert all(f"misfit           {name}" in desk.said for name in "KN")
