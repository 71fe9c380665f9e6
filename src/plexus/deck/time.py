"""The block `time`: from when to when, in which steps, and by which method."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plexus import registry
from plexus.deck.context import known
from plexus.deck.limits import increments
from plexus.deck.params import Component, Field, Params, Unit
from plexus.deck.tables import period_of
from plexus.deck.values import refuse, si_value

MOST = 10**9
"""Cycles of a run."""


class Adaptive(Params):
    """Step sizes chosen from the stepper's error estimate."""

    tolerance: float = Field(1e-3, gt=0, description="relative local error per step")
    limit: dict[str, float] = Field(
        {}, description="unknown or internal variable -> most that it may change in a step, in its unit"
    )
    min: Annotated[float, Unit("s")] = Field(
        1e-12, gt=0, description="smallest step; a smaller one stops the run"
    )
    max: Annotated[float, Unit("s")] | None = Field(None, gt=0, description="largest step; none without this")

    @field_validator("limit", mode="before")
    @classmethod
    def _increments(cls, value: Any, info: ValidationInfo) -> Any:
        return increments(value, info)

    @model_validator(mode="after")
    def _ordered(self) -> Adaptive:
        if self.max is not None and self.max < self.min:
            raise refuse("max is smaller than min")
        return self


class Time(Params):
    """Marching in time; without this block the problem is steady."""

    stepper: Annotated[Params, Component("stepper")] = Field("theta", description="time integration")
    start: Annotated[float, Unit("s")] = Field(0.0, description="time of the initial state")
    end: Annotated[float, Unit("s")] = Field(description="time at which the run is done")
    cycles: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="instead of the end: how many periods of the deck's tables are run through",
    )
    step: Annotated[float, Unit("s")] = Field(gt=0, description="time step; the first one when adaptive")
    hit: tuple[Annotated[float, Unit("s")], ...] = Field(
        (), description="times that no step may pass; adaptive steps hit those at which loads change anyway"
    )
    adaptive: Adaptive | None = Field(None, description="adapt the step; absent: fixed steps")
    controller: Annotated[Params | None, Component("controller")] = Field(
        None, description="choice of the step; `adaptive` is short for the controller `error`"
    )

    @property
    def control(self) -> Params:
        """The parameters of the controller, which `adaptive` or nothing may stand for."""
        if self.controller is not None:
            return self.controller
        name, given = ("error", self.adaptive.model_dump()) if self.adaptive else ("fixed", {})
        params = registry.component("controller", name).params.model_validate(given)
        params._type = name
        return params

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Ask for an end or a number of cycles."""
        block: dict[str, Any] = handler(schema)
        block["required"] = [name for name in block["required"] if name != "end"]
        return {**block, "anyOf": [{"required": ["end"]}, {"required": ["cycles"]}]}

    @model_validator(mode="before")
    @classmethod
    def _of_cycles(cls, data: Any, info: ValidationInfo) -> Any:
        """Put the end where the cycles end; a deck that was completed so may say both."""
        if not isinstance(data, dict) or (count := data.get("cycles")) is None:
            return data
        start = cls._number(data.get("start", 0.0))
        if not isinstance(count, int | float) or not 1 <= count <= MOST or count != int(count):
            # what is wrong with it is told where it stands, and not that there is no end
            return {"end": start + 1.0, **data}
        period = period_of(known(info).tables)
        if period is None:
            raise refuse("cycles: no table of the deck has a period, so there is no cycle to count")
        end = start + count * period
        if "end" in data and abs(cls._number(data["end"]) - end) > 1e-9 * abs(end):
            raise refuse(f"cycles: {count} of {period:g} s end at {end:g} s; give either end or cycles")
        return {**data, "end": end}

    @staticmethod
    def _number(value: Any) -> float:
        return si_value(value) if isinstance(value, str) else float(value)

    @model_validator(mode="after")
    def _one_control(self) -> Time:
        if self.adaptive is not None and self.controller is not None:
            raise refuse("give either adaptive or a controller")
        return self

    @field_validator("hit")
    @classmethod
    def _rising(cls, hit: tuple[float, ...]) -> tuple[float, ...]:
        if any(b <= a for a, b in pairwise(hit)):
            raise refuse("the times must increase")
        return hit

    @model_validator(mode="after")
    def _within(self) -> Time:
        for t in self.hit:
            if not self.start <= t <= self.end:
                raise refuse(f"hit: {t:g} s is not between start {self.start:g} s and end {self.end:g} s")
        return self

    @model_validator(mode="after")
    def _forward(self) -> Time:
        if self.end <= self.start:
            raise PydanticCustomError(
                "deck", "{text}", {"text": f"end {self.end:g} s is not after start {self.start:g} s"}
            )
        control: Any = registry.component("controller", self.control.type).cls
        longest = control.longest(self.control, self)
        if self.end - longest == self.end:
            text = f"step {longest:g} s is lost in the rounding of the end {self.end:g} s"
            raise PydanticCustomError("deck", "{text}", {"text": text})
        return self
