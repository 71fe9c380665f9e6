"""The block `verification`: references that quantities must reproduce."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from plexus.deck.params import Field, Params
from plexus.deck.units import Quantity, UnitError, same_dimension
from plexus.deck.values import refuse, stated


class Verification(Params):
    """A reference value that a quantity must reproduce."""

    quantity: str = Field(description="name of a quantity of this deck")
    reference: float | str = Field(description="the value it should have, in SI units or with a unit")
    tolerance: float | None = Field(None, gt=0, description="allowed relative difference")
    absolute_tolerance: float | str | None = Field(
        None, description="allowed absolute difference, in SI units or with a unit"
    )
    source: str = Field(description="where the reference comes from")

    @field_validator("reference", "absolute_tolerance", mode="after")
    @classmethod
    def _si(cls, value: float | str | None) -> float | None:
        try:
            return stated(value) if isinstance(value, str) else value
        except UnitError as error:
            raise refuse(str(error)) from None

    @field_validator("absolute_tolerance", mode="after")
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        if value is not None and not value > 0:
            raise refuse(f"must be > 0, not {value:g}")
        return value

    def unfit(self, unit: str) -> str:
        """Return why a stated unit does not fit that of the quantity; empty if it does."""
        for name, value in (("reference", self.reference), ("absolute_tolerance", self.absolute_tolerance)):
            if isinstance(value, Quantity) and not same_dimension(unit, value.unit):
                return f"{name}: {value.text!r} does not fit: {self.quantity} is in {unit}"
        return ""

    @model_validator(mode="after")
    def _one(self) -> Verification:
        if (self.tolerance is None) == (self.absolute_tolerance is None):
            raise refuse("give either tolerance (relative) or absolute_tolerance")
        return self
