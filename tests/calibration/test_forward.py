"""A run with controls at their start is the run with the values written in, for every discretisation."""

import h5py
import numpy as np
import pytest

from plexus.deck.load import load

ELEMENTS = """
plexus: 1
BLOCK
mesh: {type: box, size: [1, 1], cells: [5, 4], cell: triangle}
physics:
  type: heat
  material: {conductivity: "COEFF*(1 + 0.001*(temperature - 300))", density: 1, specific_heat: 100 J/(kg K)}
  source: SOURCE
initial: {temperature: START + 10 K/m*x}
time: {stepper: bdf2, step: 1 s, end: 5 s}
boundary:
  - {on: left, temperature: START + 2 K/s*t}
  - {on: right, convection: {coefficient: FILM, ambient: 300 K}}
quantities: {m: {type: mean, of: "temperature^2*COEFF/(1 W/(m K))"}}
output: [{type: fields, every: end, fields: [temperature]}]
"""
CONTROLS = """controls:
  k: {type: scalar, unit: W/(m K), start: 40 W/(m K)}
  h: {type: table, unit: W/(m^2 K), knots: [0 s, 10 s], start: [500, 700]}
  q: {type: nodal, unit: W/m^3, start: 100 + 20*x}
  T0: {type: scalar, unit: K, start: 40 degC}"""
WORDS = {"COEFF": ("k", "(40 W/(m K))"), "SOURCE": ("q", "100 + 20*x"),
         "FILM": ("h", "{table: [[0, 500], [10, 700]], of: t}"), "START": ("T0", "313.15 K")}  # fmt: skip
VOLUMES = """
plexus: 1
BLOCK
mesh: {type: interval, cells: 40, size: 1 m}
physics: {type: advection_diffusion, velocity: [A], diffusivity: "0.1*A*x"}
boundary: [{on: left, concentration: "A^2*t"}, {on: right, outflow: {}}]
initial: {concentration: "A*x"}
time: {stepper: ssp_rk, controller: {type: courant, number: 0.4}, end: 0.1 s, step: 0.01 s}
quantities: {m: {type: integral, of: "A*concentration^2"}}
"""
SPECTRAL = """
plexus: 1
BLOCK
mesh: {type: periodic, cells: [32], size: [22]}
physics: {type: kuramoto_sivashinsky}
initial: {u: "A*sin(2*pi*x/22)"}
time: {stepper: etdrk4, end: 1 s, step: 0.1 s}
quantities: {m: {type: mean, of: "A*u^2"}}
"""
POINTS = """
plexus: 1
BLOCK
physics: {type: lorenz96}
initial: {state: "A + 0.1*sin(x)"}
time: {stepper: runge_kutta, end: 0.1 s, step: 0.01 s}
quantities: {m: {type: mean, of: "A*state^2"}}
"""


def put(text, block, words):
    for name, value in words.items():
        text = text.replace(name, value)
    return text.replace("BLOCK", block)


def fields(folder):
    with h5py.File(folder / "fields.vtkhdf") as file:
        return file["VTKHDF/PointData/temperature"][...]


def test_on_elements(desk):
    """Scalars, tables and fields in coefficients, sources, boundary and initial values."""
    named = put(ELEMENTS, CONTROLS, {k: v[0] for k, v in WORDS.items()})
    plain = put(ELEMENTS, "parameters: {}", {k: v[1] for k, v in WORDS.items()})
    found = [
        desk.do("run", desk.write(f"{n}.yaml", t), out=n) for n, t in (("named", named), ("plain", plain))
    ]
    assert found[0]["quantities"]["m"] == pytest.approx(found[1]["quantities"]["m"], rel=1e-14)
    assert found[0]["solver"] == found[1]["solver"]
    one, two = (fields(desk.folder / n) for n in ("named", "plain"))
    np.testing.assert_allclose(one, two, rtol=1e-14)


@pytest.mark.parametrize("deck", [VOLUMES, SPECTRAL, POINTS], ids=["volumes", "spectral", "points"])
def test_elsewhere(desk, deck):
    """There, too, a control is its start written in, to the last digit."""
    named = deck.replace("BLOCK", "controls: {a: {type: scalar, start: 1.3}}").replace("A", "a")
    plain = deck.replace("BLOCK", "parameters: {}").replace("A", "1.3")
    found = [
        desk.do("run", desk.write(f"{n}.yaml", t), out=n) for n, t in (("named", named), ("plain", plain))
    ]
    assert found[0]["quantities"] == found[1]["quantities"]


def test_numbers_that_are_no_expressions_read_scalars(desk):
    """The effective deck keeps the expression, with its unit."""
    text = FLOW.replace("NU", "2*nu")
    desk.do("run", desk.write("deck.yaml", text), out="first")
    again = desk.do("run", desk.folder / "first/deck.yaml", out="again")
    plain = text.replace("2*nu", "0.2 m^2/s").replace("nu: {type: scalar, unit: m^2/s, start: 0.1}, ", "")
    assert again["quantities"] == desk.do("run", desk.write("plain.yaml", plain), out="plain")["quantities"]
    assert load(desk.folder / "first/deck.yaml").physics.viscosity.expression.text == "2*nu"


FLOW = """plexus: 1
controls: {nu: {type: scalar, unit: m^2/s, start: 0.1}, f: {type: nodal, unit: m/s^2, start: 0.1}}
mesh: {type: periodic, cells: [8, 8], size: [1, 1]}
physics: {type: navier_stokes, viscosity: NU, force: [f, 0]}
time: {stepper: etdrk4, end: 0.02 s, step: 0.01 s}
quantities: {m: {type: mean, of: kinetic_energy}}
"""


def test_controls_are_shown_as_fields_and_the_effective_deck_is_the_same_run(desk):
    text = put(ELEMENTS, CONTROLS, {k: v[0] for k, v in WORDS.items()})
    path = desk.write("deck.yaml", text.replace("[temperature]", "[temperature, q, k, h]"))
    first = desk.do("run", path, out="first")
    with h5py.File(desk.folder / "first/fields.vtkhdf") as file:
        x = file["VTKHDF/Points"][:, 0]
        np.testing.assert_allclose(file["VTKHDF/PointData/q"][...], 100 + 20 * x)
        assert set(np.round(file["VTKHDF/PointData/h"][...], 9)) == {600.0}
    again = desk.do("run", desk.folder / "first/deck.yaml", out="again")
    assert again["quantities"] == first["quantities"]
