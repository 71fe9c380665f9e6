"""Points of a sweep: how lists and ranges of values become members. Pure functions of the block.

A point maps each varied deck path to its value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from plexus.deck.sweep import Range, Sweep

Point = dict[str, Any]


def points(sweep: Sweep) -> list[Point]:
    """Return the points of a sweep in the order of its members, before seeds and ranks multiply them."""
    return STRATEGIES[sweep.mode](sweep)


def grid(sweep: Sweep) -> list[Point]:
    """Return every combination of the values; the last parameter changes fastest."""
    choices = sweep.choices()
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def zipped(sweep: Sweep) -> list[Point]:
    """Return the first values of all parameters, the second ones, ..."""
    choices = sweep.choices()
    if not choices:
        return [{}]
    return [dict(zip(choices, values, strict=True)) for values in zip(*choices.values(), strict=True)]


def listed(sweep: Sweep) -> list[Point]:
    """Return the members as the deck lists them."""
    return [dict(member) for member in sweep.members]


def random(sweep: Sweep) -> list[Point]:
    """Return independent draws; more samples of one seed begin with the same ones."""
    count, axes = sweep.samples or 0, len(sweep.parameters)
    return _drawn(sweep, np.random.default_rng(sweep.seed).random((count, axes)))


def latin_hypercube(sweep: Sweep) -> list[Point]:
    """Return draws of which each parameter has exactly one in each of `samples` equal parts of its range.

    M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979) 239-245,
    doi:10.1080/00401706.1979.10489755
    """
    count, axes = sweep.samples or 0, len(sweep.parameters)
    rng = np.random.default_rng(sweep.seed)
    # the order of random numbers is a random permutation: the part that each member gets, per parameter
    part = np.argsort(rng.random((count, axes)), axis=0)
    return _drawn(sweep, (part + rng.random((count, axes))) / count)


def draws(sweep: Sweep) -> list[Point]:
    """Return the numbers 0, 1, … of the sample that is drawn."""
    return [{number_of(sweep): n} for n in range(sweep.samples or 0)]


def number_of(sweep: Sweep) -> str:
    """Return the deck path of the number that draws of a sample vary."""
    return f"samples.{sweep.sample}.number"


def _drawn(sweep: Sweep, shares: np.ndarray) -> list[Point]:
    """Return the points at shares (samples, parameters) of the axes, 0 <= share < 1."""
    axes = sweep.parameters
    return [{p: _at(a, float(u)) for (p, a), u in zip(axes.items(), row, strict=True)} for row in shares]


def _at(axis: Range | tuple[Any, ...], share: float) -> Any:
    return axis.at(share) if isinstance(axis, Range) else axis[int(share * len(axis))]


STRATEGIES: dict[str, Callable[[Sweep], list[Point]]] = {
    "grid": grid,
    "zip": zipped,
    "list": listed,
    "random": random,
    "latin_hypercube": latin_hypercube,
    "draws": draws,
}
"""Mode of the block `sweep` -> function that makes its points."""
