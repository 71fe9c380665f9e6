"""`plexus check --taylor`: whether derivatives are those of the numbers that a run computes.

    |J(m + h δ) - J(m) - h J'(m) δ| = O(h²)

δ is random, each number in its scale. Where J is linear the remainder is rounding for every h, and there is
no slope to tell. Each control of the deck is tried with each quantity, and with the misfit of a block
`calibrate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.calibration.main import objective_of, readings_of
from plexus.calibration.tight import tight
from plexus.compose import compose
from plexus.coupling.numbers import Numbers
from plexus.deck.controls import moving
from plexus.errors import GuardError, InputError
from plexus.observers.gradient import derivative, evaluated

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context

STEPS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
AIM, BAND = 2.0, 0.1
LINEAR, FLOOR = 1e-9, 1e-12
"""Remainders, in the size of J, up to which J is called linear, and up to which they are rounding."""
SEED = 1


@dataclass(frozen=True)
class Row:
    """Remainders of one number J in one control; ``size`` is J's, or the largest |J'δ h|."""

    of: str
    to: str
    remainders: Sequence[float]
    size: float

    @property
    def exact(self) -> bool:
        """Whether J is linear as far as can be told."""
        return max(self.remainders) <= LINEAR * self.size

    @property
    def slope(self) -> float:
        """Slope of the remainder over h: the median of those between neighbours that rounding leaves."""
        seen = [(h, r) for h, r in zip(STEPS, self.remainders, strict=True) if r > FLOOR * self.size]
        h, r = np.log(np.array(seen)).reshape(-1, 2).T
        return float(np.median(np.diff(r) / np.diff(h))) if len(h) > 1 else math.nan

    @property
    def holds(self) -> bool:
        """Whether the remainder is of second order."""
        return self.exact or abs(self.slope - AIM) <= BAND


def check(deck: Deck, ctx: Context) -> None:
    """Print the table of a deck. Collective.

    Raises
    ------
    InputError
        If the deck has no controls, or nothing to differentiate.
    GuardError
        If a remainder is not of second order.
    """
    if not moving(deck):
        raise InputError("--taylor tries derivatives in `controls`, and the deck has none")
    rows = list(remainders(compose(tight(deck), ctx)))
    if not rows:
        raise InputError("--taylor needs a quantity with a derivative, or a block `calibrate`")
    ctx.log.info(table(rows))
    wrong = [f"{row.of} in {row.to}" for row in rows if not row.holds]
    if wrong:
        hint = "kinks (abs, min, max, where) or loose tolerances of `solver` do this"
        if deck.time is not None and deck.time.control.type != "fixed":
            hint = "steps that follow from the numbers count as given in derivatives: try it with fixed steps"
        raise GuardError(f"the remainder of {', '.join(wrong)} is not of second order: {hint}")


def table(rows: Sequence[Row]) -> str:
    """Return the remainders with their slopes."""
    head = f"{'J':<16} {'control':<12}" + "".join(f"{f'h = {h:g}':>12}" for h in STEPS) + "    slope"
    lines = [head]
    for row in rows:
        numbers = "".join(f"{r:12.3e}" for r in row.remainders)
        said = " linear" if row.exact else f"{row.slope:7.3f}"
        lines.append(f"{row.of:<16} {row.to:<12}{numbers}  {said}{'' if row.holds else '  <- not 2'}")
    return "\n".join(lines)


def remainders(run: Run) -> Iterator[Row]:
    """Yield the remainders of all pairs. Collective."""
    numbers = Numbers(moving(run.deck), run.system.controls)
    m = numbers.present()
    for name, quantity in run.quantities.items():
        if not getattr(quantity, "rough", ""):
            value, slope = derivative(run, numbers, name)
            yield from _rows(name, numbers, m, value, slope, _of_quantity(run, numbers, name))
    if run.deck.calibrate is not None:
        objective = objective_of(run, numbers, readings_of(run.deck, run.ctx))
        value, r = objective.value(m)
        slope = objective.gradient(m, r)
        yield from _rows("misfit", numbers, m, value, slope, lambda moved: objective.value(moved)[0])


def _of_quantity(run: Run, numbers: Numbers, name: str) -> Callable[[np.ndarray], float]:
    def value(m: np.ndarray) -> float:
        with torch.no_grad():
            return float(evaluated(run, numbers, name, torch.tensor(m)))

    return value


def _rows(
    of: str, numbers: Numbers, m: np.ndarray, value: float, slope: np.ndarray,
    function: Callable[[np.ndarray], float],
) -> Iterator[Row]:  # fmt: skip
    draw = np.random.default_rng(SEED).uniform(0.5, 1.0, len(m)) * numbers.scale()
    for name, part in numbers.parts.items():
        delta = np.zeros(len(m))
        delta[part] = draw[part]
        along = float(slope @ delta)
        found = [abs(function(m + h * delta) - value - h * along) for h in STEPS]
        yield Row(of, name, found, max(abs(along) * STEPS[0], abs(value), 1e-300))
