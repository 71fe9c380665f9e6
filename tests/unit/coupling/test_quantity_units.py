"""Units of quantities, and flows whose balance closes."""

import pytest

from plexus.coupling.units import times_length
from plexus.errors import InputError

PLATE = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [6, 3], size: [2, 1], boundaries: {ends: x < 1e-9 or x > 2 - 1e-9}}
physics: {type: heat, degree: 2, material: {conductivity: 1 + 0.01*temperature}, source: 50*x}
boundary:
  - {on: left, convection: {coefficient: 20, ambient: 300 + 40*y}}
  - {on: right, convection: {coefficient: 5, ambient: 400}, radiation: {emissivity: 0.9, ambient: 350}}
  - {on: top, flux: 30*x}
quantities:
  hottest: {type: maximum, of: temperature}
  excess: {type: mean, of: temperature - 300}
  mid: {type: value, of: heat_flux_x, at: [1, 0.5]}
  heated: {type: integral, of: temperature, on: left}
  size: {type: norm, of: temperature}
  slope: {type: error, of: temperature, exact: "0", norm: H1}
  by_gradients: {type: flux, of: heat_flux, on: ends}
  ends: {type: flux, of: heat_flux, on: ends, by: terms}
  top: {type: flux, of: heat_flux, on: top, by: terms}
  bottom: {type: flux, of: heat_flux, on: bottom, by: terms}
"""
HELD = PLATE.replace("{on: right, convection", "{on: top, convection").replace(
    "{on: top, flux: 30*x}", "{on: right, temperature: 300}"
)


@pytest.mark.parametrize(
    ("unit", "power", "result"),
    [
        ("W/m^2", 1, "W/m"), ("Pa", 2, "N"), ("Pa", 1, "N/m"), ("Pa", 0, "Pa"), ("J/m^3", 3, "J"),
        ("W/(m^2 K)", 2, "W/K"), ("K", 1.5, "K m^1.5"), ("(1)*m/s", 2, "m^3/s"), ("m", -1, ""),
        ("(mol/m^3)*m/s", 2, "mol/s"), ("1", 2, ""), ("", 2, ""),
    ],
)  # fmt: skip
def test_units_times_lengths(unit, power, result):
    assert times_length(unit, power) == result


def test_quantities_know_their_units(make_run):
    units = {
        "hottest": "K", "excess": "", "mid": "W/m^2", "heated": "K m", "size": "K m", "slope": "K",
        "by_gradients": "W/m", "ends": "W/m", "top": "W/m", "bottom": "W/m",
    }  # fmt: skip
    assert make_run(PLATE).units == units


def test_flows_by_terms_balance_the_source(make_run):
    run = make_run(PLATE)
    run.execute()
    found = run.values()
    # ∫ 50 x over the plate; 30 x enters at the top
    assert found["ends"] + found["top"] + found["bottom"] == pytest.approx(100, rel=1e-7)
    assert (found["top"], found["bottom"]) == (pytest.approx(-60), 0)
    assert found["by_gradients"] == pytest.approx(found["ends"], rel=0.1)


def test_terms_do_not_tell_the_flow_where_the_value_is_prescribed(make_run):
    run = make_run(HELD.replace("on: top, by", "on: bottom, by"))
    run.execute()
    with pytest.raises(
        InputError, match=r"quantities\.ends: temperature is prescribed on right: take a react"
    ):
        run.values()
