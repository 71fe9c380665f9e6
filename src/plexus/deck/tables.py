"""Functions of time that a deck tabulates in its block `tables` and reads as ``speed(t)``.

    f(s) = v_i + (v_{i+1} - v_i) (s - t_i)/(t_{i+1} - t_i)  for t_i ≤ s ≤ t_{i+1}

A table is constant beyond its ends, or repeats itself with a period. In an expression it becomes what it
stands for, a sum of ramps: steps hit its knots, units are compared, and derivatives are known as those of
any expression.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated

from pydantic import field_validator, model_validator

from plexus.deck.params import Field, Params, Unit
from plexus.deck.units import Quantity, UnitError
from plexus.deck.values import refuse, stated


class TimeTable(Params):
    """Values at times, linear in between."""

    times: tuple[Annotated[float, Unit("s")], ...] = Field(
        min_length=2, description="times of the knots, rising"
    )
    values: tuple[float | str, ...] = Field(min_length=2, description="values there, all with a unit or none")
    period: Annotated[float, Unit("s")] | None = Field(
        None, gt=0, description="the table repeats itself after this time; absent: constant beyond its ends"
    )

    @field_validator("times")
    @classmethod
    def _rising(cls, times: tuple[float, ...]) -> tuple[float, ...]:
        if any(b <= a for a, b in pairwise(times)):
            raise refuse("the times must increase; a jump is a short ramp")
        return times

    @field_validator("values")
    @classmethod
    def _alike(cls, values: tuple[float | str, ...]) -> tuple[float, ...]:
        try:
            found = tuple(stated(v) if isinstance(v, str) else float(v) for v in values)
        except UnitError as error:
            raise refuse(str(error)) from None
        units = {v.unit.dimension if isinstance(v, Quantity) else None for v in found}
        if len(units) > 1:
            raise refuse("the values have different units")
        if not all(math.isfinite(v) for v in found):
            raise refuse("a value is not a finite number")
        return found

    @model_validator(mode="after")
    def _whole(self) -> TimeTable:
        if len(self.times) != len(self.values):
            raise refuse(f"{len(self.times)} times and {len(self.values)} values")
        if self.period is not None and self.times[-1] - self.times[0] > self.period * (1 + 1e-12):
            raise refuse(f"the times span more than the period {self.period:g} s")
        return self

    @property
    def quantity(self) -> Quantity | None:
        """A value with the unit of all, None where they have none."""
        first = self.values[0]
        return first if isinstance(first, Quantity) else None

    def tree(self, argument: ast.expr) -> ast.expr:
        """Return the function of an argument as a tree of ramps."""
        times, values = list(self.times), [float(v) for v in self.values]
        if self.period is not None:
            argument = self._folded(argument)
            if times[-1] - times[0] < self.period * (1 - 1e-12):
                # from the last knot back to the first one
                times, values = [*times, times[0] + self.period], [*values, values[0]]
        tree: ast.expr = ast.Constant(values[0])
        for (a, b), (v, w) in zip(pairwise(times), pairwise(values), strict=True):
            if v != w:
                shifted = ast.BinOp(argument, ast.Sub(), ast.Constant(a))
                ramp = _called("ramp", ast.BinOp(shifted, ast.Div(), ast.Constant(b - a)))
                tree = ast.BinOp(tree, ast.Add(), ast.BinOp(ast.Constant(w - v), ast.Mult(), ramp))
        return tree

    def _folded(self, s: ast.expr) -> ast.expr:
        """Return s brought back into the period that begins at the first knot."""
        shifted = ast.BinOp(s, ast.Sub(), ast.Constant(self.times[0]))
        count = _called("floor", ast.BinOp(shifted, ast.Div(), ast.Constant(self.period)))
        return ast.BinOp(s, ast.Sub(), ast.BinOp(ast.Constant(self.period), ast.Mult(), count))


def stand_in() -> TimeTable:
    """Return what a table is taken for that is wrong itself: what reads it is judged by the rest."""
    return TimeTable(times=(0.0, 1.0), values=(1.0, 2.0), period=1.0)


def period_of(tables: Mapping[str, TimeTable]) -> float | None:
    """Return the time after which all periodic tables repeat themselves, None without one.

    Raises
    ------
    ValueError
        If the longest period is no multiple of another one.
    """
    periods = sorted({t.period for t in tables.values() if t.period is not None})
    for p in periods:
        ratio = periods[-1] / p
        if abs(ratio - round(ratio)) > 1e-9 * ratio:
            raise refuse(
                f"the tables have periods of {p:g} s and {periods[-1]:g} s, which make no common cycle"
            )
    return periods[-1] if periods else None


def _called(name: str, argument: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), [argument], [])
