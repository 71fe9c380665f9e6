"""A number over time at one place: a thermocouple, a strain gauge.

    y_i = u(x, t_i) + e_i

The file is a table of text with units in its header, or a table of ``series.h5``, such as ``probes/middle``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import ValidationInfo, field_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Unit
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.io import tables
from plexus.measurements.base import Measurement, MeasurementParams, Readings
from plexus.registry import register


class SeriesParams(MeasurementParams):
    """Parameters of a series."""

    column: str = Field(description="name of the column with the numbers")
    at: Annotated[tuple[float, ...], Unit("m")] = Field(description="where it was measured")
    table: str = Field("", description="table inside of an HDF5 file")

    @field_validator("at")
    @classmethod
    def _in_space(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        dim = known(info).dim
        if dim is not None and len(value) != dim:
            raise refuse(f"a position in a {dim}-D mesh has {dim} coordinates, not {len(value)}")
        return value


@register("measurement", "series", SeriesParams)
class Series(Measurement):
    """One place over time."""

    def __init__(self, params: SeriesParams):
        self.params: SeriesParams = params

    def read(self, deck: Any, unit: str) -> Readings:
        """Return a reading per row."""
        p = self.params
        if deck.time is None:
            raise InputError("a series belongs to a run in time, and the deck has no `time`: take `sensors`")
        table = tables.read(Path(p.file), p.table)
        values, t = table.column(p.column, unit), table.column(table.time, "s")
        bad = ~(np.isfinite(values) & np.isfinite(t))
        rest, told = table.without(bad)
        values, t = values[~bad], t[~bad]
        kept = self.times(deck, t, rest)
        count = int(kept.sum())
        x, deviation = np.tile(p.at, (count, 1)), np.full(count, p.deviation)
        return Readings(p.of, t[kept], x, values[kept], deviation, [told] if told else [])


EXAMPLE: dict[str, Any] = {
    "file": "thermocouple.csv", "column": "T_1", "of": "temperature", "at": [0.5, 0.5], "deviation": "0.5 K",
}  # fmt: skip
