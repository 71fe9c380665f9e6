"""Units for people: a prefix that makes the numbers short, without a unit library."""

from __future__ import annotations

import re

import numpy as np

_PREFIXES = {1e9: "G", 1e6: "M", 1e3: "k", 1.0: "", 1e-3: "m", 1e-6: "µ", 1e-9: "n"}
_NAMES = {
    "pascal": "Pa", "kelvin": "K", "meter": "m", "metre": "m", "second": "s", "watt": "W", "joule": "J",
    "newton": "N", "volt": "V", "dimensionless": "",
}  # fmt: skip
_SCALED = re.compile(r"(Pa|m|s|W|J|N|V|A)(/.*)?$")
"""Units that take a prefix well: a plain one, also over others; kelvin and powers do not."""


def short(unit: str) -> str:
    """Return the usual symbol of a unit: ``1`` and ``dimensionless`` become empty."""
    text = _NAMES.get(unit.strip(), unit.strip())
    for power, sign in (("2", "²"), ("3", "³")):
        text = text.replace(f"**{power}", sign).replace(f"^{power}", sign)
    return "" if text == "1" else text


def scale(unit: str, values: np.ndarray) -> tuple[float, str]:
    """Return a factor and a unit so that ``values * factor`` are convenient numbers in that unit.

    >>> scale("Pa", np.array([2.1e11]))
    (1e-09, 'GPa')
    """
    symbol = short(unit)
    finite = np.abs(values[np.isfinite(values)])
    peak = float(finite.max(initial=0.0))
    if not _SCALED.match(symbol) or peak == 0:
        return 1.0, symbol
    # the largest prefix that leaves at least one digit before the point
    for size, prefix in _PREFIXES.items():
        if peak >= size:
            return 1 / size, prefix + symbol
    return 1.0, symbol


def label(name: str, unit: str) -> str:
    """Return an axis label such as ``von Mises stress [MPa]``."""
    text = words(name)
    return f"{text} [{unit}]" if unit else text


def words(name: str) -> str:
    """Return a field's or column's name as a reader would write it."""
    return name.replace("_", " ").replace("von mises", "von Mises")
