"""Oracles: the same deck in other units, and its bare numbers in another world, have the same answer."""

from __future__ import annotations

import random
from pathlib import Path

from cases import Case
from exact import judged
from leaves import Dims, Dressed, M, World
from running import deck_of, run


def dressed(case: Case, folder: Path) -> list[str]:
    """Return what is wrong where every number has a unit of its own: mm, t, degC, min, kJ, ..."""
    found = run(deck_of(case, Dressed(case.seed)), case, folder)
    return judged(case, found) + told(case, found.units)


def world(case: Case, folder: Path) -> list[str]:
    """Return what is wrong where metre, kilogram and second have other sizes and numbers stay bare.

    What the program takes for small or large must not depend on the size of a number.
    """
    if not case.scalable:
        return []
    draw = random.Random(case.seed)
    sizes = World(*(10.0 ** draw.choice(range(-4, 5)) for _ in range(3)))
    deck = deck_of(case, sizes)
    length = sizes.factor(M)
    found = run(deck, case, folder, scale=length)
    factors = {name: sizes.factor(d) for name, d in case.units.items()}
    for name, (_, d, _) in case.expected.items():
        if d is None:
            found.quantities[name] = case.expected[name][0]
        else:
            factors[f"={name}"] = sizes.factor(d)
    return [f"{text} in {sizes}" for text in judged(case, found, length, factors)]


def told(case: Case, units: dict[str, str]) -> list[str]:
    """Return which quantities tell a unit that is not theirs."""
    import pint

    registry = pint.UnitRegistry()
    names = ("[length]", "[mass]", "[time]", "[temperature]")
    wrong = []
    for name, (_, d, _) in case.expected.items():
        text = units.get(name, "")
        if d is None or not text:
            continue
        powers = registry.parse_units(text).dimensionality
        here: Dims = tuple(int(powers.get(n, 0)) for n in names)  # type: ignore[assignment]
        if here != d and not _width(case, here, d):
            wrong.append(f"quantity {name} is told in {text}: {here} instead of {d}")
    return wrong


def _width(case: Case, here: Dims, d: Dims) -> bool:
    """Return whether they differ by the width of a bar, which is 1 m in any world."""
    return case.body.dim == 1 and (here[0] - 1, *here[1:]) == d
