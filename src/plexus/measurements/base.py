"""What measurements share: which field was measured, how well, and when.

A reading is y = u_c(x, t) + e with e independent and normal of standard deviation σ.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import ValidationInfo, field_validator

from plexus.deck.context import Context, components, known
from plexus.deck.params import Field, InputFile, Params, Unit
from plexus.deck.suggest import nearest
from plexus.deck.units import UnitError, is_unit, parse_unit, quantity, split_quantity
from plexus.deck.values import refuse, si_value
from plexus.errors import InputError
from plexus.io.tables import Table
from plexus.mesh.sums import sum_of


@dataclass(frozen=True)
class Readings:
    """Numbers that were measured.

    Attributes
    ----------
    of : unknown, or a component of one.
    t : (k,) times [s]; NaN where nothing depends on time.
    x : (k, d) positions [m].
    values, deviation : (k,) in the unit of the field.
    told : sentences on what was left out.
    """

    of: str
    t: np.ndarray
    x: np.ndarray
    values: np.ndarray
    deviation: np.ndarray
    told: Sequence[str] = field(default=())


class MeasurementParams(Params):
    """Parameters that every measurement has."""

    file: InputFile = Field(description="file with the numbers")
    of: str = Field(description="unknown that was measured, or a component of one")
    deviation: Any = Field(description="standard deviation of one number, in the unit of the unknown")
    window: tuple[Annotated[float, Unit("s")], Annotated[float, Unit("s")]] | None = Field(
        None, description="first and last time that count; left out: all, which must lie within the run"
    )

    @field_validator("of")
    @classmethod
    def _unknown(cls, value: str, info: ValidationInfo) -> str:
        valid = measurable(known(info))
        if valid and value not in valid:
            raise refuse(f"{value!r} is no scalar unknown or component of one{nearest(value, valid, 12)}")
        return value

    @field_validator("deviation")
    @classmethod
    def _difference(cls, value: Any, info: ValidationInfo) -> Any:
        unit = known(info).unit_of(str(info.data.get("of", "")))
        parts = split_quantity(value) if isinstance(value, str) else None
        if parts and is_unit(parts[1]) and parse_unit(parts[1]).offset:
            raise refuse(f"a deviation is a difference: write {parts[0]:g} K")
        try:
            found = float(value) if not isinstance(value, str) else _number(value, unit)
        except UnitError as error:
            raise refuse(str(error)) from None
        except (TypeError, ValueError):
            raise refuse("expected a number with a unit") from None
        if not 0 < found < math.inf:
            raise refuse("a deviation is a finite number greater than zero")
        return found


def _number(text: str, unit: str | None) -> float:
    """Return a number in a unit, in SI where the unit is not known."""
    return si_value(text) if unit is None else quantity(text, unit)


def measurable(context: Context) -> list[str]:
    """Return the unknowns that are scalars, and the components of others."""
    found: list[str] = []
    for spec in (context.unknowns or {}).values():
        found += [spec.name] if spec.shape == "scalar" else components(spec, context.dim)
    return found


class Measurement(ABC):
    """Base of measurements."""

    params: MeasurementParams

    @property
    def light(self) -> bool:
        """Whether its file is text, which a check of the deck reads as well."""
        return Path(self.params.file).suffix not in (".h5", ".hdf5", ".vtkhdf")

    @abstractmethod
    def read(self, deck: Any, unit: str) -> Readings:
        """Return the readings, values in ``unit``.

        Raises
        ------
        InputError
            With file and line, if they cannot be read or do not fit the run.
        """

    def times(self, deck: Any, t: np.ndarray, table: Table) -> np.ndarray:
        """Return which rows count.

        Raises
        ------
        InputError
            If a row lies outside of the run, and no window leaves it out.
        """
        time, window = deck.time, self.params.window
        low, high = (time.start, time.end) if window is None else window
        kept = (t >= low) & (t <= high)
        lost = np.flatnonzero((t < time.start) | (t > time.end)) if window is None else np.empty(0, int)
        inside = (low >= time.start) and (high <= time.end)
        if len(lost) or not inside:
            place = f"{table.path}:{table.lines[lost[0]]}: time {t[lost[0]]:g} s" if len(lost) else "window"
            more = f", and {len(lost) - 1} more," if len(lost) > 1 else ""
            hint = f"choose `window: [{time.start:g} s, {time.end:g} s]`, or another time.end"
            raise InputError(
                f"{place}{more} lies outside of the run, {time.start:g} to {time.end:g} s: {hint}"
            )
        if not kept.any():
            raise InputError(f"{table.path}: no row lies between {low:g} and {high:g} s")
        return kept


def marks(deck: Any) -> dict[str, str]:
    """Return mark -> file of the measurements of a deck: SHA-256 of the file's own and the column."""
    return {
        hashlib.sha256(f"{sum_of(p.file)} {getattr(p, 'column', p.of)}".encode()).hexdigest(): p.file
        for p in deck.calibrate.data
    }


def refuse_twice(deck: Any) -> None:
    """Refuse data that a start was fitted to already, where a regularisation trusts that start.

    Raises
    ------
    InputError
        With the control.
    """
    known = marks(deck)
    for name in deck.calibrate.controls or deck.controls:
        params = deck.controls[name]
        again = next((known[mark] for mark in params.fitted_to if mark in known), None)
        if again is not None and params.regularisation is not None:
            raise InputError(
                f"controls.{name}: its start was fitted to {Path(again).name} already, and with the "
                "regularisation these data would count twice: state as `start` what was known before them, "
                "and go on from the fit with `fitted: calibration.h5`; or fit to other data"
            )


def checked(deck: Any, context: Any = None) -> Iterator[str]:
    """Yield sentences on the measurements of a deck that can be read without libraries.

    Raises
    ------
    InputError
        If one of them does not fit, at its place in the deck.
    """
    from plexus import registry
    from plexus.errors import at_path

    if deck.calibrate is not None:
        refuse_twice(deck)
    for i, params in enumerate(deck.calibrate.data if deck.calibrate else ()):
        member: Measurement = registry.build("measurement", params)
        with at_path(f"calibrate.data[{i}]"):
            for text in member.read(deck, unit_of(deck, params.of)).told if member.light else ():
                yield f"calibrate.data[{i}]: {text}"


def unit_of(deck: Any, of: str) -> str:
    """Return the unit of an unknown or a component of one."""
    from plexus import registry

    cls: Any = registry.component("physics", deck.physics.type).cls
    specs = {spec.name: spec.unit for spec in cls.fields(deck.physics)}
    return str(specs.get(of) or specs.get(of.rpartition("_")[0], "1"))
