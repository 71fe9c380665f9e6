"""Units of what is computed from fields: of an expression, of an integral over a part of the body.

Units are texts such as ``W/(m^2 K)``; an empty text stands for a unit that is not known, or for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from plexus.deck.params import Expression
from plexus.spaces.evaluate import Part

COORDINATES = {"x": "m", "y": "m", "z": "m", "t": "s"}
_TOKEN = re.compile(r"([A-Za-zµ°%]+)|\^?(-?\d+(?:\.\d+)?)|([/()])|[\s*·]")


def of_expression(run: Any, expression: Expression) -> str:
    """Return the unit of a field, a component or a coordinate; empty for anything that is computed."""
    name = expression.text.strip()
    if name in expression.names:
        return COORDINATES.get(name) or of_field(run, name)
    return ""


def of_field(run: Any, name: str) -> str:
    """Return the unit of a field or of a component of one, empty for a pure number."""
    specs = run.nodal.specs
    unit = (specs.get(name) or specs[name.rpartition("_")[0]]).unit
    return "" if unit == "1" else str(unit)


def integrated(run: Any, unit: str, part: Part, power: float = 1.0) -> str:
    """Return the unit of (∫ f^(1/power))^power for f^(1/power) in ``unit``: times the size of a part."""
    # 2πr and a thickness are lengths; without either a plane section counts per metre
    extra = run.system.has_thickness()
    return times_length(unit, power * (run.mesh.dim - (part.boundary is not None) + extra))


def times_length(unit: str, power: float) -> str:
    """Return ``unit`` times m^power; what has no unit keeps none.

    >>> times_length("W/m^2", 1), times_length("Pa", 2), times_length("W/(m^2 K)", 2)
    ('W/m', 'N', 'W/K')
    """
    exponents: dict[str, float] = {}
    for name, exponent in _factors(unit):
        exponents[name] = exponents.get(name, 0.0) + exponent
    if not any(exponents.values()):
        return ""
    if power and "Pa" in exponents:
        pascals = exponents.pop("Pa")
        exponents["N"] = exponents.get("N", 0.0) + pascals
        power -= 2 * pascals
    exponents["m"] = exponents.get("m", 0.0) + power
    above = [_power(n, e) for n, e in exponents.items() if e > 0]
    below = [_power(n, -e) for n, e in exponents.items() if e < 0]
    under = f"({' '.join(below)})" if len(below) > 1 else "".join(below)
    return (" ".join(above) or "1" * bool(below)) + (f"/{under}" if below else "")


def _power(name: str, exponent: float) -> str:
    """Return a factor of a unit as text."""
    return name if exponent == 1 else f"{name}^{exponent:g}"


def _factors(unit: str) -> Iterator[tuple[str, float]]:
    """Yield the names in a unit with their exponents; a slash turns one factor or what is in brackets."""
    # one sign per open bracket; `turned` waits for the factor behind a slash
    signs, turned = [1.0], False
    pending: tuple[str, float] | None = None
    for name, number, mark in _TOKEN.findall(unit):
        if number and pending:
            pending = pending[0], pending[1] * float(number)
            continue
        if not (name or mark):
            continue
        if pending:
            yield pending
            pending = None
        if mark == "/":
            turned = True
        elif mark == "(":
            signs.append(-signs[-1] if turned else signs[-1])
            turned = False
        elif mark == ")":
            signs.pop()
        else:
            pending, turned = (name, -signs[-1] if turned else signs[-1]), False
    if pending:
        yield pending
