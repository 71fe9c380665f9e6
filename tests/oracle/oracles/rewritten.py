"""Oracles: the same deck in other units, and its bare numbers in another world, have the same answer."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

from oracles.cases import Case
from oracles.exact import judged
from oracles.leaves import Dims, Dressed, M, World
from oracles.running import deck_of, run


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
    names = ("[length]", "[mass]", "[time]", "[temperature]")
    wrong = []
    for name, (_, d, _) in case.expected.items():
        text = units.get(name, "")
        if d is None or not text:
            continue
        powers = _registry().parse_units(text).dimensionality
        here: Dims = tuple(int(powers.get(n, 0)) for n in names)  # type: ignore[assignment]
        # what is 1 m wide or thick is told per metre, as is a bar
        if here not in {(d[0] - n, *d[1:]) for n in range(3)} if _thin(case) else here != d:
            wrong.append(f"quantity {name} is told in {text}: {here} instead of {d}")
    return wrong


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


def _thin(case: Case) -> bool:
    """Return whether the thickness of a section is 1 m, which units leave out."""
    thickness = case.deck["physics"].get("thickness")
    return case.body.dim == 1 or (thickness is not None and thickness.value.constant == 1.0)
