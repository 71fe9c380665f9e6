"""What fields of the mesh share as controls: the start is an expression of the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from plexus.controls.base import ControlParams, within
from plexus.deck.context import known, only
from plexus.deck.expressions import Expression
from plexus.deck.params import Field
from plexus.deck.values import convert, expression, fit


class FieldParams(ControlParams):
    """Parameters of a field."""

    start: Expression = Field(description="value at the start: a number or an expression of x, y, z")

    @field_validator("start", mode="before")
    @classmethod
    def _of_place(cls, value: Any, info: ValidationInfo) -> Any:
        unit = info.data.get("unit", "1")
        with only(info, "xyz"):
            parsed = expression(convert(value, unit, True, known(info)), info)
        fit(parsed, unit)
        return parsed

    @model_validator(mode="after")
    def _within(self) -> FieldParams:
        within(self, [] if self.start.constant is None else [self.start.constant])
        return self


class OfMesh:
    """Base of controls whose values live on the mesh."""

    constant: ClassVar[bool] = False
    ports: Mapping[str, tuple[float, float]] = {}
    kinks: Sequence[float] = ()
    sizes = None
    params: FieldParams

    def grams(self) -> tuple[np.ndarray, np.ndarray]:
        """Refuse: its norms are integrals over the mesh."""
        raise NotImplementedError("the mesh has its norms")

    def at_start(self, x: np.ndarray) -> np.ndarray:
        """Return the start at places (k, d), (k, 1)."""
        names = dict(zip("xyz", x.T, strict=False))
        return np.broadcast_to(self.params.start.sure(names), len(x)).reshape(-1, 1).astype(float)
