"""Units as people spell them: dimensions to text, and what a misspelt unit was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from plexus.deck.units import BASE, UnitError, parse_unit

Dimension = tuple[Fraction | int, ...]
_COMMON = (
    "1", "m", "s", "kg", "K", "A", "mol", "cd", "m^2", "m^3", "1/m", "1/s", "1/K", "m/s", "m/s^2", "m^2/s",
    "Pa", "N", "J", "W", "N/m", "N/m^3", "Pa/s", "W/m", "W/m^2", "W/m^3", "W/(m K)", "W/(m^2 K)",
    "J/(kg K)", "J/kg", "kg/m^3", "K/m", "K/s", "V", "C", "J/(m^3 K)", "W/(m K^2)", "W/(m^2 K^2)",
    "W/(m^2 K^4)", "J/mol", "mol/m^3", "W/K", "J/K", "Pa/K", "N m", "kg/s", "m K", "m^2 K", "m^3 K",
)  # fmt: skip
_WORDS = {
    "c": "degC", "°c": "degC", "f": "degF", "fahrenheit": "degF", "celsius": "degC", "grad": "degC",
    "degreec": "degC", "centigrade": "degC", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "hr": "h", "hrs": "h", "hours": "h", "mins": "min", "minutes": "min", "kelvin": "K", "watt": "W",
    "watts": "W", "pascal": "Pa", "meter": "m", "metre": "m", "meters": "m", "metres": "m", "kgs": "kg",
    "degrees": "deg", "percent": "%",
}  # fmt: skip
# As their names are usually written; the key is the same in small letters.
_CASES = {
    u.lower(): u
    for u in (
        "Pa", "kPa", "MPa", "GPa", "W", "kW", "J", "kJ", "N", "kN", "K", "m", "mm", "cm", "kg", "g", "s", "h",
        "mol", "Hz", "kHz", "bar", "degC", "V", "A", "um", "min",
    )
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


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


def meant(unit: str, target: str) -> str:
    """Return a hint such as ``; did you mean 'W/(m^2 K)'?`` for a unit that is none or does not fit."""
    try:
        wanted = parse_unit(target).dimension
    except UnitError:
        return ""
    readings = [text for text in _readings(unit.strip()) if text != unit.strip() and _is_unit(text)]
    for text in readings:
        if parse_unit(text).dimension == wanted:
            return f"; did you mean {text!r}?"
    return f"; did you mean {readings[0]!r}?" if readings and not _is_unit(unit) else ""


def _is_unit(text: str) -> bool:
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True


def _readings(unit: str) -> Iterator[str]:
    """Yield what a unit may stand for, the nearest reading first."""
    text = unit.translate(_SUPERSCRIPTS)
    # m2 and m-1 are powers without their sign
    text = re.sub(r"(?<=[A-Za-z°])(-?\d)", r"^\1", text)
    # the sign of a power may be doubled now, and brackets around what is divided by are put back below
    above, slash, below = text.replace("^^", "^").partition("/")
    for spell in (_as_it_is, _in_words):
        top = spell(_tokens(above))
        if not slash:
            yield " ".join(top)
            continue
        for split in (False, True):
            yield _ratio(top, spell(_tokens(below, split)))


def _tokens(text: str, split: bool = False) -> list[str]:
    """Return the factors; ``split`` takes a milli-kelvin for a metre times a kelvin."""
    found = re.findall(r"[A-Za-zµμΩ°Å%]+(?:\^-?\d)?", text)
    if not split:
        return found
    parts: list[str] = []
    for token in found:
        pair = re.fullmatch(r"([A-Za-z]{1,3}?)(K|kg)((?:\^\d)?)", token) if split else None
        parts += [pair[1], pair[2] + pair[3]] if pair else [token]
    return parts


def _as_it_is(tokens: Sequence[str]) -> list[str]:
    return list(tokens)


def _in_words(tokens: Sequence[str]) -> list[str]:
    """Return the factors under their usual names: degC for C, s for sec, MPa for MPA."""
    found = []
    for token in tokens:
        name, caret, power = token.partition("^")
        name = _WORDS.get(name.lower()) or _CASES.get(name.lower(), name)
        found.append(name + caret + power)
    return found


def _ratio(above: Sequence[str], below: Sequence[str]) -> str:
    under = f"({' '.join(below)})" if len(below) > 1 else "".join(below)
    return f"{' '.join(above) or '1'}/{under}"
