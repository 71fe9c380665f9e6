"""What controls share: unit, bounds, regularisation, and what most of them are not.

    R(m) = w/2 ∫ (m - m₀)² + ℓ² |∇(m - m₀)|²        (L2: ℓ = 0)

m₀ is the start; the integral is over the mesh, over the table's knots, or a sum over plain numbers. Beside a
misfit that counts in standard deviations, m₀ and 1/w are mean and variance of what was known before (A. M.
Stuart, Acta Numerica 19 (2010) 451, doi:10.1017/S0962492910000061).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from plexus.deck.context import known
from plexus.deck.dimensions import coherent
from plexus.deck.params import Field, InputFile, Params, Unit
from plexus.deck.units import UnitError, parse_unit
from plexus.deck.values import convert, refuse


class Regularisation(Params):
    """What is known of a control without data: how far it lies from its start, and how smooth it is."""

    norm: Literal["L2", "H1"] = Field("L2", description="L2: values; H1: slopes as well")
    weight: float = Field(gt=0, description="weight w, in 1 over the square of the control's unit and extent")
    length: Annotated[float, Unit("1")] | str | None = Field(
        None,
        description="length over which it varies, of H1: in m of a field, in what a table is a function of",
    )

    @field_validator("length", mode="before")
    @classmethod
    def _in_si(cls, value: Any, info: ValidationInfo) -> Any:
        from plexus.deck.values import si_value

        try:
            return si_value(value) if isinstance(value, str) else value
        except UnitError as error:
            raise refuse(str(error)) from None

    @model_validator(mode="after")
    def _smooth(self) -> Regularisation:
        if self.norm == "H1" and not self.length:
            raise refuse("H1 needs a length: differences over less than it are told to be small")
        if self.norm == "L2" and self.length is not None:
            raise refuse("length belongs to the norm H1")
        return self


class ControlParams(Params):
    """Parameters that every control has."""

    unit: str = Field("1", description="unit, of SI: W/(m K), K; numbers without one are in it")
    bounds: tuple[Any, Any] = Field((None, None), description="smallest and largest value; null: none")
    fitted: InputFile | None = Field(
        None, description="calibration.h5 of an earlier fit on the same mesh, whose values are the start"
    )
    regularisation: Regularisation | None = Field(
        None, description="what is known without data; absent: nothing"
    )
    fitted_to: tuple[str, ...] = Field(
        (), description="marks of the measurements that the start was fitted to, from fitted.yaml"
    )

    @field_validator("unit")
    @classmethod
    def _of_si(cls, value: str) -> str:
        try:
            parse_unit(value)
        except UnitError as error:
            raise refuse(str(error)) from None
        if not coherent(value):
            raise refuse(
                f"{value!r} is not of SI: name the unit of SI here; start and bounds may have others"
            )
        return value

    @field_validator("bounds", mode="before")
    @classmethod
    def _numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise refuse("expected a list of two: [smallest, largest], null where there is none")
        found = [None if v is None else in_unit(v, info) for v in value]
        low, high = found
        if low is not None and high is not None and not low < high:
            raise refuse(f"the smallest value {low:g} is not below the largest {high:g}")
        return tuple(found)

    @property
    def low(self) -> float:
        """Smallest value; minus infinity without one."""
        return -np.inf if self.bounds[0] is None else float(self.bounds[0])

    @property
    def high(self) -> float:
        """Largest value; infinity without one."""
        return np.inf if self.bounds[1] is None else float(self.bounds[1])


def in_unit(value: Any, info: ValidationInfo) -> float:
    """Return a number of a control in its unit, which is validated before; text may have another one.

    Raises
    ------
    PydanticCustomError
        If it is no number, or has another dimension.
    """
    found = convert(value, info.data.get("unit", "1"), False, known(info))
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise refuse("expected a number")
    return float(found)


def within(params: ControlParams, numbers: Sequence[float]) -> None:
    """Refuse numbers of the start that lie outside the bounds.

    Raises
    ------
    PydanticCustomError
        With the first one.
    """
    for number in numbers:
        if not params.low <= number <= params.high:
            raise refuse(f"starts at {number:g}, outside its bounds {params.low:g} to {params.high:g}")


class Plain:
    """Base of controls that are numbers of their own."""

    location: ClassVar[Literal["own", "node", "cell"]] = "own"
    at_nodes: ClassVar[bool] = True
    constant: ClassVar[bool] = False
    kinks: Sequence[float] = ()
    sizes: Sequence[float] | None = None
    """Size of each number, where they are of different kinds; None: they are of one, that of the start."""

    @property
    def ports(self) -> dict[str, tuple[float, float]]:
        """Return nothing: it reads no field."""
        return {}

    def grams(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the identity, and nothing for slopes."""
        n = len(self.begin(None))
        return np.eye(n), np.zeros((n, n))

    def begin(self, ground: Any) -> np.ndarray:
        """Return the values at the start."""
        raise NotImplementedError
