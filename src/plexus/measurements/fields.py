"""Whole fields: those of a run on another mesh, or of another program, in ``fields.vtkhdf``.

    y_i = u(x_i, t_i) + e_i

Every node of the file is a place, or every ``thin``-th one. All of them lie in the mesh.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.errors import InputError
from plexus.io.tables import Table
from plexus.measurements.base import Measurement, MeasurementParams, Readings
from plexus.registry import register


class FieldsParams(MeasurementParams):
    """Parameters of fields."""

    field: str = Field("", description="name of the field in the file; left out: that of the unknown")
    thin: int = Field(1, ge=1, description="take every so many-th node")


@register("measurement", "fields", FieldsParams)
class Fields(Measurement):
    """Nodes of a file of fields."""

    def __init__(self, params: FieldsParams):
        self.params: FieldsParams = params

    def read(self, deck: Any, unit: str) -> Readings:
        """Return a reading per node and time."""
        from plexus.io import snapshots

        p = self.params
        base, letters = (
            p.of.rpartition("_")[::2] if p.of.rpartition("_")[2] in ("x", "y", "z") else (p.of, "")
        )
        found = snapshots.read(Path(p.file), p.field or base)
        column = "xyz".index(letters) if letters else 0
        if not found or column >= found[0].values.shape[1]:
            raise InputError(f"{p.file}: holds no {p.of}")
        # the last one alone stands for a steady state
        chosen = found[-1:] if deck.time is None else found
        names = {p.of: found[0].unit}
        times = np.array([snapshot.t for snapshot in chosen])
        table = Table(p.file, {p.of: times}, names, np.arange(len(times)))
        kept = [True] * len(times) if deck.time is None else self.times(deck, times, table)
        chosen = [s for s, keep in zip(chosen, kept, strict=True) if keep]
        x = np.concatenate([s.points[:: p.thin] for s in chosen])
        t = np.concatenate([np.full(len(s.points[:: p.thin]), s.t) for s in chosen])
        raw = np.concatenate([s.values[:: p.thin, column] for s in chosen])
        values = Table(p.file, {p.of: raw}, names, np.arange(len(raw)) + 2).column(p.of, unit)
        bad = ~np.isfinite(values)
        told = (
            [f"{p.file}: {bad.sum()} of {len(bad)} values are no numbers and are left out"]
            if bad.any()
            else []
        )
        good = ~bad
        return Readings(p.of, t[good], x[good], values[good], np.full(int(good.sum()), p.deviation), told)


EXAMPLE: dict[str, Any] = {"file": "fields.vtkhdf", "of": "temperature", "deviation": "0.1 K", "thin": 4}
