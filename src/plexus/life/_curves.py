"""What criteria share: data at the hottest instant, lives from sums of two powers, what is beyond their data.

    A (2N)^b + B (2N)^c = y,   A, B >= 0,   b, c < 0

falls in N, so that there is one root. In u = ln 2N the logarithm of the left side is convex, and the larger
of the two roots that one power alone has lies below the root: from there Newton's method goes up to it
without turning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from plexus.deck.context import only
from plexus.deck.params import Field, Params, Property
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.formulation.points import Values, View
from plexus.protocols import Cycle

Array = np.ndarray
ROUNDS = 60
SMALL = 1e-14


class LifeParams(Params):
    """What the data of all criteria say."""

    lives: tuple[float, float] | None = Field(
        None, description="shortest and longest life [cycles] of the tests behind the data"
    )

    @field_validator("lives")
    @classmethod
    def _rising(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given is not None and not 0 < given[0] < given[1]:
            raise refuse("the shortest and the longest life, both positive")
        return given

    @field_validator("*", mode="wrap")
    @classmethod
    def _of_temperature(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        with only(info, {"temperature"}):
            return handler(value)


class Curve:
    """Base of criteria with data that may depend on the temperature, taken at the hottest instant."""

    params: LifeParams
    needs: frozenset[str] = frozenset({"stress", "young_modulus"})

    def __init__(self, params: Any):
        for name in type(params).model_fields:
            if getattr(getattr(params, name), "regions", None):
                raise InputError(
                    f"life.{name}: data of one material; give an output `cycles` for each region"
                )
        self.params = params
        self.needs = self.needs | ({"temperature"} if tabulated(params) else set())

    def taken(self, name: str, cycle: Cycle) -> Array:
        """Return a property at the points, (n,).

        Raises
        ------
        InputError
            If an expression gives what its bounds do not allow.
        """
        found: Property = getattr(self.params, name)
        n = cycle.stress.shape[1]
        heat = {} if cycle.hottest is None else {"temperature": Values(cycle.hottest[None])}
        view = View(None, heat, t=0.0, one=np.ones((1, 1)), regions={})
        values = np.broadcast_to(np.asarray(found(view), dtype=float).reshape(-1), (n,))
        for value in (values.min(initial=np.inf), values.max(initial=-np.inf)) if n else ():
            if found.within is not None and (text := found.within.told(float(value), closed=True)):
                raise InputError(f"life.{name}: {text}, at the temperatures of this cycle")
        return values

    def damage(self, cycle: Cycle) -> Array:
        """Return 1/N, (n,)."""
        raise NotImplementedError

    def misses(self, cycle: Cycle) -> Mapping[str, int]:
        """Return at how many points lives and temperatures are beyond those of the data."""
        found = {}
        if self.params.lives is not None:
            shortest = self.params.lives[0]
            early = self.damage(cycle) * shortest > 1.0
            found[f"lives below {shortest:g} cycles, the shortest of its tests"] = int(early.sum())
        for name in type(self.params).model_fields:
            table = getattr(getattr(self.params, name), "table", None)
            if table is not None and cycle.hottest is not None:
                found[f"temperatures beyond the table of {name}"] = table.misses(cycle.hottest)
        return found


def tabulated(params: Params) -> bool:
    """Return whether data depend on the temperature."""
    values = (getattr(params, name) for name in type(params).model_fields)
    return any("temperature" in getattr(v, "names", ()) for v in values)


def reversals(y: Array, a: Array, b: Array, first: float, second: float) -> Array:
    """Return 2N with a (2N)^first + b (2N)^second = y, (n,); infinite where y is not positive.

    Parameters
    ----------
    y, a, b : array (n,)
        What the curve has to give, and its two factors, of which one may be 0.
    first, second : float
        The exponents, below 0.
    """
    u = np.full(len(y), np.inf)
    some = (y > 0) & ((a > 0) | (b > 0))
    y, a, b = y[some], a[some], b[some]
    with np.errstate(divide="ignore"):
        start = np.maximum(np.log(y / a) / first, np.log(y / b) / second)
        v, la, lb, ly = start, np.log(a), np.log(b), np.log(y)
    for _ in range(ROUNDS):
        p, q = la + first * v, lb + second * v
        both = np.logaddexp(p, q)
        share = np.exp(p - both)
        step = (both - ly) / -(first * share + second * (1.0 - share))
        v = v + step
        if np.all(np.abs(step) <= SMALL * (1.0 + np.abs(v))):
            break
    u[some] = v
    return np.exp(np.minimum(u, 700.0)) + np.where(np.isinf(u), np.inf, 0.0)


def per_cycle(twice: Array) -> Array:
    """Return 1/N of 2N reversals."""
    return 2.0 / twice
