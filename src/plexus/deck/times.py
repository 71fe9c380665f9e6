"""Evenly spaced times at which something is looked at."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from plexus.deck.params import Field, Params, Unit
from plexus.deck.values import refuse


class Times(Params):
    """Times at which runs are looked at."""

    start: Annotated[float, Unit("s")] = Field(0.0, ge=0, description="first time")
    end: Annotated[float, Unit("s")] = Field(gt=0, description="last time")
    every: Annotated[float, Unit("s")] = Field(gt=0, description="time between two")

    @model_validator(mode="after")
    def _ordered(self) -> Times:
        if self.end < self.start:
            raise refuse(f"end {self.end:g} s is before start {self.start:g} s")
        return self

    def times(self) -> list[float]:
        """Return the times [s]."""
        count = round((self.end - self.start) / self.every) + 1
        return [self.start + n * self.every for n in range(count)]
