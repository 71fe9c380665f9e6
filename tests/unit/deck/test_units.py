"""Numbers with units."""

import math

import pytest

from plexus.deck import units
from plexus.deck.units import UnitError, parse_unit, quantity


@pytest.mark.parametrize(
    ("text", "target", "value"),
    [
        ("3 mm", "m", 3e-3),
        ("210 GPa", "Pa", 210e9),
        ("27 degC", "K", 300.15),
        ("500 W/(m^2 K)", "W/(m^2 K)", 500.0),
        ("500 W/(m^2)", "W/m^2", 500.0),
        ("1e-5 1/K", "1/K", 1e-5),
        ("2 ft", "m", 0.6096),
        ("10 degC/m", "K/m", 10.0),
        ("5 J/kg/K", "J/(kg K)", 5.0),
        ("-1.5e3 N/m", "kg/s^2", -1500.0),
        ("90 deg", "1", math.pi / 2),
        ("5 %", "", 0.05),
        ("2 h", "s", 7200.0),
        ("3 m s^-1", "m/s", 3.0),
        ("3 m*s**-2", "m/s^2", 3.0),
        ("0.5", "K", 0.5),
        ("32 degF", "K", 273.15),
        ("1 W/m·K", "W K/m", 1.0),
        ("3 µm", "m", 3e-6),
    ],
)
def test_conversion(text, target, value):
    assert quantity(text, target) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("3 kg", "does not fit"),
        ("3 mmm", "unknown unit"),
        ("3 m/", "incomplete"),
        ("3 m)", r"without '\('"),
        ("3 (m", "not a number"),
        ("abc", "not a number"),
        ("3 m^99", "not a unit"),
        ("3 " + "m" * 90, "longer than 80"),
        ("1 Tm^9^9^9", "too large"),
        ("3 m**", "not a unit"),
        ("3 __import__", "not a number"),
    ],
)
def test_refused(text, phrase):
    with pytest.raises(UnitError, match=phrase):
        quantity(text, "m")


def test_the_table_agrees_with_pint():
    for name, unit in {**units._PREFIXABLE, **units._PLAIN}.items():
        if name == "%":
            continue
        asked = units._ask_pint(name)
        assert asked.factor == pytest.approx(unit.factor), name
        assert asked.offset == pytest.approx(unit.offset), name
        assert asked.dimension == unit.dimension, name


def test_products_drop_offsets():
    assert parse_unit("degC").offset == 273.15
    assert parse_unit("W/(m degC)").offset == 0.0
