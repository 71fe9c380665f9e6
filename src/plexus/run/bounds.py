"""Bounds of fields, looked at after every accepted step: those of the deck, and those that nature sets.

Unknowns and internal variables are looked at where they are stored; other fields at the nodes, by evaluation.
A value counts as outside when it is beyond a bound by more than solvers leave open (`SLACK`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import GuardError
from plexus.run import coefficients
from plexus.spaces.evaluate import WHOLE

if TYPE_CHECKING:
    from plexus.deck.limits import Limits
    from plexus.run.principle import Principle
    from plexus.run.run import Run

SLACK = 1e-6
"""Distance from a bound, relative to the larger bound, by which no value counts as outside."""


@dataclass
class Bound:
    """One field between two bounds, and what became of it."""

    name: str
    limits: Limits
    unit: str
    path: str
    every: int = 1
    steps: int = 0
    lowest: float = np.inf
    highest: float = -np.inf

    def judge(self, low: float, high: float) -> str | None:
        """Note the extremes of a step; return what is outside."""
        self.lowest, self.highest = min(self.lowest, low), max(self.highest, high)
        lower, upper = self.limits.lower, self.limits.upper
        slack = SLACK * max(abs(b) for b in (lower or 0.0, upper or 0.0))
        # a value that is not a number is told by its own guard
        below = lower is not None and low < lower - slack
        above = upper is not None and high > upper + slack
        self.steps += below or above
        if below:
            return f"{self.name} is {self._with_unit(low)}, below {self._with_unit(lower)}"
        return f"{self.name} is {self._with_unit(high)}, above {self._with_unit(upper)}" if above else None

    def _with_unit(self, value: float | None) -> str:
        return f"{value:.6g}" if self.unit in ("", "1") else f"{value:.6g} {self.unit}"

    def summary(self) -> dict[str, Any]:
        """Return bounds, extremes and the number of steps outside."""
        seen = {"lowest": self.lowest, "highest": self.highest} if self.lowest <= self.highest else {}
        return {"lower": self.limits.lower, "upper": self.limits.upper, "steps_outside": self.steps, **seen}


class Bounds:
    """All bounds of a run."""

    def __init__(self, run: Run):
        self.run = run
        self.bounds = list(_bounds(run))
        self._told: set[str] = set()
        self._principles: list[Principle] = []
        self._coefficients: list[coefficients.Coefficient] = []

    def begin(self) -> None:
        """Note the data from which the march starts. Collective.

        Raises
        ------
        InputError
            If a coefficient is out of its bounds whatever the solution is.
        """
        if self.run.stepper.marches:
            from plexus.run.principle import principles

            self._principles = list(principles(self.run))
        for each in self._principles:
            each.begin(self.run)
        self._coefficients = list(coefficients.bounded(self.run))
        coefficients.before(self.run, self._coefficients)

    def look(self) -> None:
        """Judge the present state. Collective.

        Raises
        ------
        GuardError
            On all ranks, where a field is outside bounds that shall stop the run, or a coefficient its own.
        """
        due = [b for b in self.bounds if self.run.clock.step % b.every == 0 or self.run.clock.done]
        for bound, (low, high) in zip(due, self._extremes(due), strict=True):
            text = bound.judge(low, high)
            if text is None:
                continue
            text = f"{bound.path}: {text} at t = {self.run.clock.t:.6g} s"
            if bound.limits.action == "stop":
                raise GuardError(f"{text}; its action is stop")
            # once is enough for the log: the summary counts
            if bound.name not in self._told:
                self._told.add(bound.name)
                self.run.ctx.log.info(f"warning: {self.run.deck.placed(text)}")

        for each in self._principles:
            text = each.look(self.run)
            if text is not None:
                self.run.ctx.log.info(f"warning: {self.run.deck.placed(f'physics: {text}')}")
        coefficients.after(self.run, self._coefficients)

    def _extremes(self, bounds: list[Bound]) -> list[tuple[float, float]]:
        """Return smallest and largest value of each field. Collective."""
        from mpi4py import MPI

        stored = {**self.run.state.values, **self.run.state.internal}
        direct = [b.name in stored and not _complex(stored[b.name]) for b in bounds]
        ends = np.array(
            [[_end(stored[b.name], s) for s in (-1, 1)] for b, d in zip(bounds, direct, strict=True) if d]
        )
        if len(ends):
            self.run.ctx.comm.Allreduce(MPI.IN_PLACE, ends, MPI.MAX)
        rows = iter(ends)
        return [
            _pair(next(rows)) if d else self._evaluated(b.name) for b, d in zip(bounds, direct, strict=True)
        ]

    def _evaluated(self, name: str) -> tuple[float, float]:
        """Return smallest and largest value of a field that must be computed. Collective."""
        fields = self.run.fields
        value = fields.field(name)
        return fields.extremum(value, WHOLE, False), fields.extremum(value, WHOLE, True)

    def summary(self) -> dict[str, Any]:
        """Return what became of each bound, by field."""
        return {b.name: b.summary() for b in self.bounds}

    def outside(self) -> Iterator[str]:
        """Yield a line for each field that was outside."""
        for b in self.bounds:
            if b.steps:
                looked = "" if b.every == 1 else f" (of those that were looked at, every {b.every})"
                yield f"{b.name} was outside its bounds after {b.steps:,} steps{looked}"

    def state(self) -> dict[str, Any]:
        """Return the counts for a checkpoint."""
        return {b.name: [b.steps, b.lowest, b.highest] for b in self.bounds if b.lowest <= b.highest}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        for b in self.bounds:
            if b.name in state:
                steps, b.lowest, b.highest = state[b.name]
                b.steps = int(steps)


def _bounds(run: Run) -> Iterator[Bound]:
    """Yield the bounds of the deck, then those of nature for fields that the deck says nothing about."""
    given, specs = run.deck.runtime.guard, run.fields.specs
    for name, limits in given.items():
        yield Bound(name, limits, run.fields.unit(name), f"runtime.guard.{name}")
    for name, spec in specs.items():
        if name not in given and spec.bounds is not None:
            from plexus.deck.limits import Limits

            lower, upper = spec.bounds
            stored = name in run.state.values or name in run.state.internal
            limits = Limits(lower=lower, upper=upper, action="warn")
            yield Bound(name, limits, spec.unit, "physics", 1 if stored else run.system.looks)


def _complex(array: Any) -> bool:
    return "complex" in str(array.dtype)


def _end(array: Any, sign: int) -> float:
    """Return the largest value of sign times an array; minus infinity without any."""
    if 0 in array.shape:
        return -np.inf
    return float(array.max()) if sign > 0 else -float(array.min())


def _pair(row: np.ndarray) -> tuple[float, float]:
    return -float(row[0]), float(row[1])
