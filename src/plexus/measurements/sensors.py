"""Numbers at many places, once or at several times: columns x, y, z, and time where the run marches.

    y_i = u(x_i, t_i) + e_i

The file is a table of text with units in its header.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.errors import InputError
from plexus.io import tables
from plexus.measurements.base import Measurement, MeasurementParams, Readings
from plexus.registry import register


class SensorsParams(MeasurementParams):
    """Parameters of sensors."""

    column: str = Field(description="name of the column with the numbers")


@register("measurement", "sensors", SensorsParams)
class Sensors(Measurement):
    """Many places."""

    def __init__(self, params: SensorsParams):
        self.params: SensorsParams = params

    def read(self, deck: Any, unit: str) -> Readings:
        """Return a reading per row."""
        p = self.params
        table = tables.read(Path(p.file))
        axes = [a for a in "xyz" if a in table.columns]
        if axes != list("xyz"[: len(axes)]) or not axes:
            raise InputError(f"{table.path}:1: the columns x, y (and z) tell where each row was measured")
        x = np.stack([table.column(a, "m") for a in axes], axis=1)
        values = table.column(p.column, unit)
        t = np.zeros(len(values)) if deck.time is None else table.column(table.time, "s")
        bad = ~(np.isfinite(values) & np.isfinite(t) & np.isfinite(x).all(1))
        rest, told = table.without(bad)
        x, values, t = x[~bad], values[~bad], t[~bad]
        kept = np.full(len(t), True) if deck.time is None else self.times(deck, t, rest)
        deviation = np.full(int(kept.sum()), p.deviation)
        return Readings(p.of, t[kept], x[kept], values[kept], deviation, [told] if told else [])


EXAMPLE: dict[str, Any] = {
    "file": "sensors.csv", "column": "T", "of": "temperature", "deviation": "0.5 K",
}  # fmt: skip
