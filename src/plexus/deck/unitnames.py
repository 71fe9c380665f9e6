"""Dimensions to the usual names of their units: ``W/(m K)``."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from plexus.deck.units import BASE, parse_unit

Dimension = tuple[Fraction | int, ...]
_COMMON = (
    "1", "m", "s", "kg", "K", "A", "mol", "cd", "m^2", "m^3", "1/m", "1/s", "1/K", "m/s", "m/s^2", "m^2/s",
    "Pa", "N", "J", "W", "N/m", "N/m^3", "Pa/s", "W/m", "W/m^2", "W/m^3", "W/(m K)", "W/(m^2 K)",
    "J/(kg K)", "J/kg", "kg/m^3", "K/m", "K/s", "V", "C", "J/(m^3 K)", "W/(m K^2)", "W/(m^2 K^2)",
    "W/(m^2 K^4)", "J/mol", "mol/m^3", "W/K", "J/K", "Pa/K", "N m", "kg/s", "m K", "m^2 K", "m^3 K",
    "m^2 K/W",
)  # fmt: skip


@lru_cache(maxsize=1)
def _names() -> dict[Dimension, str]:
    return {parse_unit(text).dimension: text for text in reversed(_COMMON)}


def spelled(dimension: Dimension) -> str:
    """Return the usual text of an SI unit: ``W/(m K)``; ``1`` for a pure number."""
    if dimension in _names():
        return _names()[dimension]
    above = [_power(n, e) for n, e in zip(BASE, dimension, strict=True) if e > 0]
    below = [_power(n, -e) for n, e in zip(BASE, dimension, strict=True) if e < 0]
    under = f"({' '.join(below)})" if len(below) > 1 else "".join(below)
    return (" ".join(above) or "1") + (f"/{under}" if below else "")


def simplified(unit: str) -> str:
    """Return the usual text of a unit, the unit as it is where it is not of SI."""
    found = parse_unit(unit)
    return spelled(found.dimension) if (found.factor, found.offset) == (1.0, 0.0) else unit


def _power(name: str, exponent: Fraction | int) -> str:
    return name if exponent == 1 else f"{name}^{float(exponent):.4g}"
