"""Numbers and expressions of a deck with their dimensions, and the ways to write them down.

A deck of the oracles is plain data whose leaves are `Amount`, `Below`, `Near`, `Table` or `Jump`. `plain`
writes bare SI numbers, `Dressed` writes each in other units, `World` writes bare numbers of a world with
other units of length, mass and time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oracles.polynomials import VARIABLES, Poly

Dims = tuple[int, int, int, int]
"""Exponents of m, kg, s, K."""
ONE: Dims = (0, 0, 0, 0)
M, KG, S, K = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)


def dims(m: int = 0, kg: int = 0, s: int = 0, kelvin: int = 0) -> Dims:
    """Return exponents by name."""
    return m, kg, s, kelvin


WATT, JOULE, NEWTON, PASCAL = dims(2, 1, -3), dims(2, 1, -2), dims(1, 1, -2), dims(-1, 1, -2)


def times(a: Dims, b: Dims, power: int = 1) -> Dims:
    """Return the exponents of a·b^power."""
    return tuple(i + power * j for i, j in zip(a, b, strict=True))  # type: ignore[return-value]


@dataclass(frozen=True)
class Amount:
    """A number or polynomial with dimensions; ``of`` is what v stands for, ``absolute`` tells a level."""

    value: Poly
    dims: Dims = ONE
    absolute: bool = False
    of: tuple[str, Dims] = ("temperature", K)

    def unit(self, exponents: tuple[int, ...]) -> Dims:
        """Return the dimensions of one coefficient."""
        found = self.dims
        for name, n in zip(VARIABLES, exponents, strict=True):
            found = times(found, {"t": S, "v": self.of[1]}.get(name, M), -n)
        return found


@dataclass(frozen=True)
class Below:
    """The condition that a coordinate is below, or above, a length."""

    axis: str
    value: float
    above: bool = False


@dataclass(frozen=True)
class Near:
    """The condition that coordinates are those of a curve or point, but for a length."""

    place: tuple[tuple[str, float], ...]
    reach: float


@dataclass(frozen=True)
class Table:
    """Amounts at times, with straight lines between."""

    times: tuple[float, ...]
    values: tuple[float, ...]
    dims: Dims
    absolute: bool = False


@dataclass(frozen=True)
class Jump:
    """One amount below a place or before a time, another from it on."""

    before: Amount
    after: Amount
    at: float
    along: str = "t"


def amount(value: Poly | float, dimensions: Dims = ONE, absolute: bool = False, **more: Any) -> Amount:
    """Return an amount."""
    return Amount(Poly.of(value), dimensions, absolute, **more)


Writer = Callable[[float, Dims, bool], str | float]
"""Writes one coefficient; the flag says that it is a level of temperature."""


def written(tree: Any, write: Writer) -> Any:
    """Return the tree with every leaf as a deck has it."""
    if isinstance(tree, dict):
        return {key: written(value, write) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [written(value, write) for value in tree]
    if isinstance(tree, Amount):
        return _polynomial(tree, write)
    if isinstance(tree, Below):
        return f"{tree.axis} {'>' if tree.above else '<'} {write(tree.value, M, False)}"
    if isinstance(tree, Near):
        reach = write(tree.reach, M, False)
        return " and ".join(f"abs({axis} - ({write(at, M, False)})) < {reach}" for axis, at in tree.place)
    if isinstance(tree, Table):
        rows = [
            [write(t, S, False), write(v, tree.dims, tree.absolute)]
            for t, v in zip(tree.times, tree.values, strict=True)
        ]
        return {"table": rows, "of": "t"}
    if isinstance(tree, Jump):
        parts = (_polynomial(part, write) for part in (tree.before, tree.after))
        before, after = map(_inside, parts)
        place = write(tree.at, S if tree.along == "t" else M, False)
        return f"where({tree.along} < {place}, {before}, {after})"
    return tree


def _polynomial(leaf: Amount, write: Writer) -> str | float:
    terms = leaf.value.terms
    if not any(any(e) for e in terms):
        alone = write(next(iter(terms.values()), 0.0), leaf.dims, leaf.absolute)
        return _inside(alone) if isinstance(alone, str) else alone
    names = (*VARIABLES[:-1], leaf.of[0])
    texts = [_term(leaf, e, terms[e], names, write) for e in sorted(terms)]
    # long sums are grouped: the reader of expressions bounds their depth
    groups = [_sum(texts[i : i + GROUP]) for i in range(0, len(texts), GROUP)]
    return groups[0] if len(groups) == 1 else " + ".join(f"({group})" for group in groups)


GROUP = 10


def _term(
    leaf: Amount, e: tuple[int, ...], value: float, names: tuple[str, ...], write: Writer
) -> tuple[str, str]:
    """Return sign and text of one term; a level keeps its sign, which may change with the unit."""
    level = leaf.absolute and not any(e)
    first = write(value if level else abs(value), leaf.unit(e), level)
    powers = [name if n == 1 else f"{name}^{n}" for name, n in zip(names, e, strict=True) if n]
    return "-" if value < 0 and not level else "+", " * ".join([_inside(first), *powers])


def _inside(text: str | float) -> str:
    """Return a number as part of an expression, where `5 1/m` is none."""
    return (
        str(text).replace(" 1/(", "/(1 ")
        if " 1/(" in str(text)
        else re.sub(r" 1/(.*)", r"/(1 \1)", str(text))
    )


def _sum(texts: list[tuple[str, str]]) -> str:
    (sign, first), *rest = texts
    return ("-" if sign == "-" else "") + first + "".join(f" {sign} {text}" for sign, text in rest)


def plain(value: float, dimensions: Dims, level: bool) -> float:
    """Write a bare number in SI units."""
    return value


@dataclass(frozen=True)
class World:
    """Bare numbers where a metre, a kilogram and a second have other sizes."""

    length: float = 1.0
    mass: float = 1.0
    time: float = 1.0

    def factor(self, dimensions: Dims) -> float:
        """Return by what a number of SI is multiplied."""
        m, kg, s, _ = dimensions
        return self.length**-m * self.mass**-kg * self.time**-s

    def __call__(self, value: float, dimensions: Dims, level: bool) -> float:
        """Write a number."""
        return value * self.factor(dimensions)


SIZES = (
    {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "km": 1e3, "um": 1e-6},
    {"kg": 1.0, "g": 1e-3, "mg": 1e-6},
    {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 1e-3, "day": 86400.0},
    {"K": 1.0, "kelvin": 1.0},
)
DERIVED = {
    "W": (WATT, 1.0), "kW": (WATT, 1e3), "MW": (WATT, 1e6), "mW": (WATT, 1e-3),
    "J": (JOULE, 1.0), "kJ": (JOULE, 1e3), "MJ": (JOULE, 1e6),
    "N": (NEWTON, 1.0), "kN": (NEWTON, 1e3), "MN": (NEWTON, 1e6),
    "Pa": (PASCAL, 1.0), "kPa": (PASCAL, 1e3), "MPa": (PASCAL, 1e6), "GPa": (PASCAL, 1e9),
    "bar": (PASCAL, 1e5),    "l": ((3, 0, 0, 0), 1e-3),
}  # fmt: skip


class Dressed:
    """Every number in units of its own, drawn anew."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def __call__(self, value: float, dimensions: Dims, level: bool) -> str | float:
        """Write a number with a unit."""
        draw = self.random
        if level:
            kind = draw.choice(("K", "degC", "degC", "degF"))
            shown = {"K": value, "degC": value - 273.15, "degF": (value - 273.15) * 9 / 5 + 32}[kind]
            return f"{shown!r} {kind}"
        if dimensions == ONE:
            return f"{value / 0.01!r} %" if draw.random() < 0.2 else value
        text, size = self._unit(dimensions)
        return f"{value / size!r} {text}"

    def _unit(self, dimensions: Dims) -> tuple[str, float]:
        names: list[tuple[str, int]] = []
        rest, size, draw = dimensions, 1.0, self.random
        fitting = [
            name
            for name, (d, _) in DERIVED.items()
            if sum(map(abs, times(rest, d, -1))) < sum(map(abs, rest))
        ]
        if fitting and draw.random() < 0.8:
            name = draw.choice(fitting)
            names, rest, size = [(name, 1)], times(rest, DERIVED[name][0], -1), DERIVED[name][1]
        for exponent, choices in zip(rest, SIZES, strict=True):
            if exponent:
                name = draw.choice(list(choices))
                names.append((name, exponent))
                size *= choices[name] ** exponent
        draw.shuffle(names)
        above = [_raised(n, e) for n, e in names if e > 0]
        below = [_raised(n, -e) for n, e in names if e < 0]
        joint = draw.choice((" ", "*"))
        over = joint.join(above) or "1"
        if not below:
            return over, size
        under = joint.join(below)
        return f"{over}/({under})" if len(below) > 1 else f"{over}/{under}", size


def _raised(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"
