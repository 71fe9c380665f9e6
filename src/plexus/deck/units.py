"""Physical units: text such as ``500 W/(m^2 K)`` to numbers.

A unit is a factor, an offset (temperatures) and the exponents of the seven SI base units plus nothing
else: angles are numbers. The units of everyday decks are in a small table, so that reading a deck does
not load pint (0.4 s); every other name is asked from pint, one plain name at a time, so that a hostile
text cannot make pint compute. In products the offset is dropped: ``10 degC/m`` is 10 K/m.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from plexus.deck.spelling import readings
from plexus.deck.suggest import nearest

Dimension = tuple[int, ...]
BASE = ("m", "kg", "s", "A", "K", "mol", "cd")
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
MAX_LENGTH = 200
_NAME = r"[A-Za-zµμΩ°Å%][A-Za-zµμΩ°Å_]*"
_TOKEN = re.compile(rf"\s*(?:({_NAME})|(\*\*|\^)\s*(\(\s*-?\d\s*\)|-?\d)|(/)|([*·])|(\()|(\)))|(\s+$)")
_FOLLOWS = re.compile(rf"\s*(?:{_NAME}|\()")
# A quantity is a number and something that starts like a unit; `1/K` is the only unit that starts with
# a digit. Whether the rest is a unit is decided by `parse_unit`.
_QUANTITY = re.compile(rf"\s*((?>{NUMBER}))\s*({_NAME}.*|1\s*/.*)", re.DOTALL)


class UnitError(ValueError):
    """A text is not a unit, or has the wrong dimension."""


@dataclass(frozen=True)
class UnitValue:
    """``SI = number * factor + offset`` with the exponents of m, kg, s, A, K, mol, cd."""

    factor: float
    dimension: Dimension
    offset: float = 0.0

    def __mul__(self, other: UnitValue) -> UnitValue:
        """Return the product; offsets are dropped."""
        exponents = tuple(a + b for a, b in zip(self.dimension, other.dimension, strict=True))
        return UnitValue(self.factor * other.factor, exponents)

    def power(self, n: int) -> UnitValue:
        """Return the n-th power; offsets are dropped unless n is 1."""
        return self if n == 1 else UnitValue(self.factor**n, tuple(n * e for e in self.dimension))


class Quantity(float):
    """A number in SI units that remembers its unit, and the text that it was written as."""

    unit: UnitValue
    text: str

    def __new__(cls, value: float, unit: UnitValue, text: str) -> Quantity:
        """Return the number with its unit."""
        self = super().__new__(cls, value)
        self.unit, self.text = unit, text
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the unit."""
        return Quantity, (float(self), self.unit, self.text)


def _unit(factor: float, offset: float = 0.0, **exponents: int) -> UnitValue:
    return UnitValue(factor, tuple(exponents.get(b, 0) for b in BASE), offset)


_ONE = _unit(1.0)
# Symbols that take a prefix (mm, kPa, GHz); the gram is here, the kilogram is its base.
_PREFIXABLE = {
    "m": _unit(1.0, m=1), "g": _unit(1e-3, kg=1), "s": _unit(1.0, s=1), "A": _unit(1.0, A=1),
    "K": _unit(1.0, K=1), "mol": _unit(1.0, mol=1), "N": _unit(1.0, kg=1, m=1, s=-2),
    "Pa": _unit(1.0, kg=1, m=-1, s=-2), "J": _unit(1.0, kg=1, m=2, s=-2), "W": _unit(1.0, kg=1, m=2, s=-3),
    "Hz": _unit(1.0, s=-1), "V": _unit(1.0, kg=1, m=2, s=-3, A=-1), "C": _unit(1.0, A=1, s=1),
    "rad": _ONE, "bar": _unit(1e5, kg=1, m=-1, s=-2),
}  # fmt: skip
# Symbols that take none; the offset of degC counts only where the unit stands alone.
_PLAIN = {
    "cd": _unit(1.0, cd=1), "min": _unit(60.0, s=1), "h": _unit(3600.0, s=1), "day": _unit(86400.0, s=1),
    "degC": _unit(1.0, 273.15, K=1), "°C": _unit(1.0, 273.15, K=1), "deg": _unit(math.pi / 180),
    "%": _unit(0.01), "rpm": _unit(2 * math.pi / 60, s=-1),
    "l": _unit(1e-3, m=3), "L": _unit(1e-3, m=3), "t": _unit(1e3, kg=1), "kelvin": _unit(1.0, K=1),
}  # fmt: skip
_PREFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,
    "μ": 1e-6,
    "m": 1e-3,
    "c": 1e-2,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


def _ask_pint(name: str) -> UnitValue:
    registry = _registry()
    try:
        # Two points of the affine map number -> SI give its factor and its offset.
        zero, one = (registry.Quantity(v, registry.Unit(name)).to_base_units() for v in (0.0, 1.0))
    except Exception as error:  # pint raises AttributeError, KeyError and tokenizer errors alike
        raise UnitError(f"unknown unit {name!r}{nearest(name, known_units())}") from error
    exponents = {str(k): int(v) for k, v in one.units._units.items()}
    names = ("meter", "kilogram", "second", "ampere", "kelvin", "mole", "candela")
    # Pint's base mass is the gram in some versions and the kilogram in others.
    grams = exponents.pop("gram", 0)
    exponents["kilogram"] = exponents.get("kilogram", 0) + grams
    scale = 1e-3**grams
    dimension = tuple(exponents.get(n, 0) for n in names)
    return UnitValue((one.magnitude - zero.magnitude) * scale, dimension, zero.magnitude * scale)


def known_units() -> list[str]:
    """Return the names of the built-in table, for suggestions."""
    return [*_PREFIXABLE, *_PLAIN, *(p + u for p in "mkMG" for u in _PREFIXABLE)]


@lru_cache(maxsize=4096)
def named_unit(name: str) -> UnitValue:
    """Return the unit of one plain name.

    Raises
    ------
    UnitError
        If neither the table nor pint knows the name.
    """
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _PREFIXABLE:
        return _PREFIXABLE[name]
    # The plain names go first: `min` is a minute, not a milli-inch, and `cd` a candela.
    if name[0] in _PREFIXES and name[1:] in _PREFIXABLE:
        base = _PREFIXABLE[name[1:]]
        return UnitValue(_PREFIXES[name[0]] * base.factor, base.dimension)
    return _ask_pint(name)


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> UnitValue:
    """Return the unit of a text such as ``W/(m^2 K)``; ``1`` and the empty text are dimensionless.

    Raises
    ------
    UnitError
        If the text is not a product of named units with integer powers.
    """
    text = text.strip()
    if text in ("", "1"):
        return _ONE
    if len(text) > 80:
        raise UnitError("unit text is longer than 80 characters")
    try:
        return _parse(re.sub(r"^1\s*/", "/", text))
    except ArithmeticError as error:
        raise UnitError(f"{text!r} is not a unit: the number is too large or too small") from error


def _parse(text: str) -> UnitValue:
    """Multiply the tokens: ``last`` is the newest factor with its sign, ``stack`` the open brackets."""
    stack: list[tuple[UnitValue, int]] = []
    last: tuple[UnitValue, int] | None = None
    unit, sign = _ONE, 1
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise UnitError(f"{text!r} is not a unit")
        name, _, power, slash, times, opening, closing, _ = match.groups()
        if name:
            unit, last, sign = _append(unit, last), (named_unit(name), sign), 1
        elif power:
            if last is None:
                raise UnitError(f"{text!r} is not a unit: power of nothing")
            # A power binds to the newest factor only, so that factor waits in `last` until the next token.
            last = (last[0].power(int(power.strip("() "))), last[1])
        elif slash:
            sign = -1
        elif opening:
            stack.append((_append(unit, last), sign))
            unit, last, sign = _ONE, None, 1
        elif closing:
            if not stack:
                raise UnitError(f"{text!r} is not a unit: ')' without '('")
            inner = _append(unit, last)
            unit, outer_sign = stack.pop()
            last, sign = (inner, outer_sign), 1
        elif times and (last is None or not _FOLLOWS.match(text, match.end())):
            raise UnitError(f"{text!r} is not a unit: {times!r} needs a factor on both sides")
        position = match.end()
    if stack or sign < 0:
        raise UnitError(f"{text!r} is not a unit: it is incomplete")
    # A single factor keeps its offset, which a product with the empty unit would drop.
    return _append(unit, last) if unit is not _ONE or last is None else last[0].power(last[1])


def _append(unit: UnitValue, last: tuple[UnitValue, int] | None) -> UnitValue:
    return unit if last is None else unit * last[0].power(last[1])


def meant(unit: str, target: str) -> str:
    """Return a hint such as ``; did you mean 'W/(m^2 K)'?`` for a unit that is none or does not fit."""
    try:
        wanted = parse_unit(target).dimension
    except UnitError:
        return ""
    found = [text for text in readings(unit.strip()) if text != unit.strip() and is_unit(text)]
    for text in found:
        if parse_unit(text).dimension == wanted:
            return f"; did you mean {text!r}?"
    return f"; did you mean {found[0]!r}?" if found and not is_unit(unit) else ""


def is_unit(text: str) -> bool:
    """Return whether a text is a unit."""
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True


def same_dimension(text: str, unit: UnitValue) -> bool:
    """Return whether a unit has the dimension of another; True where it is empty or none of this table."""
    try:
        return not text or parse_unit(text).dimension == unit.dimension
    except UnitError:
        return True


def split_quantity(text: str) -> tuple[float, str] | None:
    """Return number and unit text of ``3 mm``; None when the text does not look like a quantity."""
    match = _QUANTITY.fullmatch(text) if len(text) <= MAX_LENGTH else None
    return (float(match[1]), match[2].strip()) if match else None


def to_unit(value: float, unit: str, target: str) -> float:
    """Return ``value unit`` as a number in ``target``.

    Raises
    ------
    UnitError
        If the unit is unknown or of another dimension than the target.
    """
    # SI = value·f + o on both sides; solved for the number in the target.
    try:
        have, want = parse_unit(unit), parse_unit(target)
    except UnitError as error:
        raise UnitError(_with_hint(str(error), unit, target)) from error
    if have.dimension != want.dimension:
        expected = target if target not in ("", "1") else "a pure number"
        raise UnitError(_with_hint(f"unit {unit!r} does not fit: expected {expected}", unit, target))
    return (value * have.factor + have.offset - want.offset) / want.factor


def _with_hint(text: str, unit: str, target: str) -> str:
    """Return a message with the unit that was meant, where a known misspelling tells it."""
    hint = meant(unit, target)
    return text.partition("; did you mean")[0] + hint if hint else text


def quantity(text: str, target: str) -> float:
    """Return the number in ``target`` of a text such as ``3 mm`` or ``0.5``.

    Raises
    ------
    UnitError
        If the text is not a number with an optional unit of the right dimension.
    """
    parts = split_quantity(text)
    if parts:
        return to_unit(*parts, target)
    if len(text) > MAX_LENGTH or not re.fullmatch(rf"\s*{NUMBER}\s*", text):
        example = f" with a unit such as {target}" if target not in ("", "1") else ""
        raise UnitError(f"{text[:60]!r} is not a number{example}")
    return float(text)
