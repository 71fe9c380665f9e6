"""Shell spectra of fields on a periodic grid, as histories in ``series.h5`` (tables ``spectra/<field>``).

The value of shell κ is the sum of |û|² over the modes with κ - 1/2 <= |k| L/2π < κ + 1/2, L the longest side
of the box, added over the components of a vector or tensor: the sum over all shells is the mean of |u|², and
half of a velocity's spectrum is that of its energy. Of an ensemble ``<field>_mean`` has the spectrum of the
mean over the members, ``<field>_spread`` that of their deviations from it. Columns ``shell_<κ>`` hold the
complete shells; the angular wave numbers 2πκ/L stand in the table's attribute ``wave_numbers`` [1/m].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from plexus.deck.params import Field, FieldName, Params, ScheduleText
from plexus.deck.schedules import parse_schedule
from plexus.observers.base import History
from plexus.protocols import Spectra
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.mesh.grid import Grid
    from plexus.run import Run

EXAMPLE: dict[str, Any] = {"type": "spectrum", "fields": ["velocity"], "every": "1 s"}


class SpectrumParams(Params):
    """Parameters of spectra."""

    fields: tuple[FieldName, ...] = Field(min_length=1, description="fields by name")
    every: ScheduleText = Field(parse_schedule("end"), description="when")


@register("output", "spectrum", SpectrumParams)
class Spectrum(History):
    """Adds a row per field on a schedule."""

    needs = Spectra

    def __init__(self, params: SpectrumParams):
        super().__init__(params)
        self.params = params

    def observe(self, run: Run) -> None:
        """Add the spectra of the present state. Collective."""
        series, fields, unit = run.series, run.fields, 2 * math.pi / _longest(run)
        assert isinstance(fields, Spectra), "a deck asks for spectra of fields on a grid only"
        at: dict[str, float] = {"step": run.clock.step, "time": run.clock.t}
        for name in self.params.fields:
            key, power = f"spectra/{name}", fields.spectrum(name)
            # a restart finds the row of its first state already there
            if not run.ctx.root or series.last(key) == run.clock.step:
                continue
            shells = np.arange(len(power))
            series.fact(key, "wave_numbers", unit * shells)
            series.add(key, at | {f"shell_{k}": float(power[k]) for k in shells}, {"time": "s"})
            series.flush()


def _longest(run: Run) -> float:
    """Return the longest side of the box."""
    return max(cast("Grid", run.mesh).size)
