"""One number: the same everywhere and at all times.

    m = θ

θ has the unit of the deck's block.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from plexus.controls.base import ControlParams, Plain, in_unit, within
from plexus.deck.params import Field
from plexus.deck.values import refuse
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"unit": "W/(m K)", "start": "40 W/(m K)", "bounds": [1, None]}


class ScalarParams(ControlParams):
    """Parameters of a number."""

    start: Any = Field(description="value at the start")

    @field_validator("start", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        return in_unit(value, info)

    @model_validator(mode="after")
    def _within(self) -> ScalarParams:
        within(self, [self.start])
        if self.regularisation is not None and self.regularisation.norm == "H1":
            raise refuse("a number has no slope: its regularisation is L2")
        return self


@register("control", "scalar", ScalarParams)
class Scalar(Plain):
    """One number."""

    constant = True

    def __init__(self, params: ScalarParams):
        self.params = params

    def place(self, ground: Any) -> Any:
        """Return one number for all points."""
        from plexus.spaces.controls import Uniform

        return Uniform()

    def begin(self, ground: Any) -> np.ndarray:
        """Return the number, (1,)."""
        return np.array([float(self.params.start)])
