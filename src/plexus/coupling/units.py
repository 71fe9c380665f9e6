"""Units of integrals: a unit times a power of the metre.

Units are texts such as ``W/(m^2 K)``; an empty text stands for a unit that is not known, or for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"([A-Za-zµ°%]+)|\^?(-?\d+(?:\.\d+)?)|([/()])|[\s*·]")


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
