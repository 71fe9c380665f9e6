"""What a misspelt unit may stand for: ``W/m2K``, ``20 C``, ``MPA``; texts of which some are units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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


def readings(unit: str) -> Iterator[str]:
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
