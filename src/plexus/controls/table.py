"""A function of time by its values at knots: piecewise linear, constant beyond the ends.

    m(t) = Σ_k θ_k φ_k(t),    φ_k hat functions over the knots t_k

====== ============================= ===========
symbol meaning                       unit
====== ============================= ===========
t_k    knots                         s
θ_k    value at the knot t_k         the deck's
====== ============================= ===========

The norms L2 and H1 are integrals over time between the first knot and the last, so that more knots change
nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from plexus.controls.base import ControlParams, Plain, in_unit, within
from plexus.deck.params import Field
from plexus.deck.units import UnitError, quantity
from plexus.deck.values import refuse
from plexus.registry import register

EXAMPLE: dict[str, Any] = {
    "unit": "W/(m^2 K)", "knots": ["0 s", "10 s", "30 s"], "start": "500 W/(m^2 K)",
    "regularisation": {"norm": "H1", "weight": 1e-4, "length": "10 s"},
}  # fmt: skip


class TableParams(ControlParams):
    """Parameters of a table."""

    knots: tuple[Any, ...] = Field(
        min_length=2, description="times at which it bends, rising; in s without a unit"
    )
    start: Any = Field(description="value at the start, or one per knot")

    @field_validator("knots", mode="before")
    @classmethod
    def _rising(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise refuse("expected a list of knots")
        try:
            found = tuple(quantity(v, "s") if isinstance(v, str) else float(v) for v in value)
        except UnitError as error:
            raise refuse(str(error)) from None
        except (TypeError, ValueError):
            raise refuse("a knot is a number, with a unit or in SI") from None
        if any(b <= a for a, b in pairwise(found)):
            raise refuse("the knots must increase")
        return found

    @field_validator("start", mode="before")
    @classmethod
    def _values(cls, value: Any, info: ValidationInfo) -> Any:
        count = len(info.data.get("knots", ()))
        given = list(value) if isinstance(value, (list, tuple)) else [value] * count
        if len(given) != count:
            raise refuse(f"{len(given)} values for {count} knots: give one for all, or one per knot")
        return tuple(in_unit(v, info) for v in given)

    @model_validator(mode="after")
    def _within(self) -> TableParams:
        within(self, self.start)
        return self


@register("control", "table", TableParams)
class Table(Plain):
    """A piecewise linear function of time."""

    def __init__(self, params: TableParams):
        self.params = params
        self.kinks = params.knots

    def place(self, ground: Any) -> Any:
        """Return the function of time."""
        from plexus.spaces.controls import InTime

        return InTime(self.params.knots)

    def begin(self, ground: Any) -> np.ndarray:
        """Return the values at the knots, (n,)."""
        return np.array(self.params.start, dtype=float)

    def grams(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ∫ φ_k φ_l and ∫ φ_k' φ_l' between the first knot and the last, (n, n)."""
        n = len(self.params.knots)
        mass, stiff = np.zeros((n, n)), np.zeros((n, n))
        for k, h in enumerate(np.diff(np.array(self.params.knots))):
            here = slice(k, k + 2)
            mass[here, here] += h / 6 * np.array([[2.0, 1.0], [1.0, 2.0]])
            stiff[here, here] += 1 / h * np.array([[1.0, -1.0], [-1.0, 1.0]])
        return mass, stiff
