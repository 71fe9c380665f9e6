"""Fields over time in ``fields.vtkhdf``, which ParaView opens, with ``fields.xdmf`` beside it.

One HDF5 file in VTKHDF layout, written by all ranks, readable while the run goes on (see
`plexus.io.vtkhdf`). Vectors get three components and tensors nine. With ``roll`` a new file
(``fields_0001.vtkhdf``, …) is begun after that many outputs; the XDMF file shows all of them as one series.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import NAME, Field, FieldName, Params, ScheduleText
from plexus.deck.schedules import parse_schedule
from plexus.observers.base import Scheduled
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.io.vtkhdf import FieldsFile
    from plexus.io.vtkhdf_layout import Layout
    from plexus.io.xdmf import Collection
    from plexus.protocols import Location
    from plexus.run import Run

EXAMPLE: dict[str, Any] = {"type": "fields", "every": "10 steps"}
UNKNOWN = 16
"""Outputs to reserve room for when a schedule does not tell how many there will be."""
MOST = 1000
"""Outputs to reserve room for at most; a file that needs more is enlarged as it grows."""


SHOWN: dict[str, Location] = {"cells": "cell", "nodes": "node", "points": "point"}


class FieldsParams(Params):
    """Parameters of field output."""

    every: ScheduleText = Field(parse_schedule("end"), description="when")
    fields: tuple[FieldName, ...] = Field((), description="names; empty: the unknowns, or what a model shows")
    internal: Literal["cells", "nodes", "points"] = Field(
        "cells",
        description="where internal variables are shown; `points`: in /plexus of the file, not for ParaView",
    )
    name: str = Field("fields", pattern=NAME, description="name of the files, without ending")
    roll: int | None = Field(None, ge=1, description="outputs per file; absent: all in one file")


@register("output", "fields", FieldsParams)
class Fields(Scheduled):
    """Writes fields on a schedule."""

    def __init__(self, params: FieldsParams):
        super().__init__(params)
        self.params = params
        self.files: list[tuple[str, Layout]] = []
        self.file: FieldsFile | None = None
        self._shown: Collection | None = None

    def start(self, run: Run) -> None:
        """Count intervals from the start time; a restart goes on in the files that are there. Collective."""
        from plexus.io.hdf5 import mode_text

        super().start(run)
        run.ctx.log.detail(mode_text(run.ctx.comm))
        if run.restarted:
            self._resume(run)

    def observe(self, run: Run) -> None:
        """Write the present state. Collective."""
        step, t = run.clock.step, run.clock.t
        if any(layout.steps[-1].number >= step for _, layout in self.files if layout.steps):
            return
        columns, arrays = self._evaluate(run)
        # a restart whose fields differ from the file's begins a new file, too
        if self.file is None or len(self.file.steps) == self.params.roll:
            self._roll(run, columns)
        assert self.file is not None
        self.file.append(step, t, arrays)
        self.files[-1] = (self.file.path.name, self.file.layout)
        self._describe(run)

    def finish(self, run: Run) -> None:
        """Close the last file; room for outputs to come is kept if the run was stopped early. Collective."""
        if self.file is not None:
            self.file.close(trim=run.stop_reason is None)
            self.files[-1] = (self.file.path.name, self.file.layout)
            self._describe(run)

    def _names(self, run: Run) -> list[str]:
        return list(self.params.fields) or list(run.fields.shown)

    def _evaluate(self, run: Run) -> tuple[list[Any], dict[str, Any]]:
        """Return the columns and values of all fields."""
        from plexus.io.vtkhdf_layout import column

        columns, arrays = [], {}
        for name in self._names(run):
            spec, location, array = run.fields.evaluate(name, SHOWN[self.params.internal])
            points = run.fields.stored(name)
            columns.append(column(name, spec.unit, spec.shape, location, spec.tip, points))
            arrays[name] = array
        return columns, arrays

    def _roll(self, run: Run, columns: list[Any]) -> None:
        """Begin the next file."""
        from plexus.io.vtkhdf import FieldsFile

        if self.file is not None:
            self.file.close()
            self.files[-1] = (self.file.path.name, self.file.layout)
        path = self._path(run, self._next())
        self.file = FieldsFile(
            path, run.ctx.comm, self._piece(run), columns, self._capacity(run), run.ctx.texts
        )
        self.files.append((path.name, self.file.layout))

    def _piece(self, run: Run) -> Any:
        """Return this rank's part of the grid."""
        return run.fields.piece()

    def _next(self) -> int:
        """Return the number of the next file; one that was damaged and set aside leaves a gap."""
        ends = [name.removeprefix(self.params.name).partition(".vtkhdf")[0][1:] for name, _ in self.files]
        return 1 + max((int(end or 0) for end in ends), default=-1)

    def _path(self, run: Run, number: int) -> Path:
        """Return the name of a file of the series."""
        return run.ctx.folder / f"{self.params.name}{f'_{number:04d}' if number else ''}.vtkhdf"

    def _resume(self, run: Run) -> None:
        """Take over earlier files up to the restart's step. Collective."""
        from plexus.io.vtkhdf import FieldsFile, forget

        step = run.clock.step
        found = self._earlier(run)
        kept = [(p, layout) for p, layout in found if layout.steps and layout.steps[0].number <= step]
        forget(run.ctx.comm, [p for p, _ in found if p not in dict(kept)])
        self.files = [(p.name, layout) for p, layout in kept]
        if not kept:
            return
        path, layout = kept[-1]
        columns, _ = self._evaluate(run)
        if layout.columns == columns:
            texts, capacity = run.ctx.texts, self._capacity(run)
            self.file = FieldsFile.resume(
                path, run.ctx.comm, self._piece(run), columns, capacity, texts, step
            )
            self.files[-1] = (path.name, self.file.layout)

    def _earlier(self, run: Run) -> list[tuple[Path, Layout]]:
        """Return the files that are there and what they hold. Collective.

        Rank 0 looks: another rank might come late, to files that are being deleted.
        """
        from plexus.io.vtkhdf_layout import read_layout
        from plexus.runtime.first import on_first

        paths = (self._path(run, i) for i in range(10_000))
        return on_first(run.ctx.comm, lambda: [(p, read_layout(p)) for p in paths if p.exists()])

    def _describe(self, run: Run) -> None:
        """Write the XDMF file on rank 0."""
        from plexus.io import xdmf

        if run.ctx.root:
            if self._shown is None:
                self._shown = xdmf.Collection(run.ctx.folder / f"{self.params.name}.xdmf")
            self._shown.show(self.files)

    def _capacity(self, run: Run) -> int:
        """Return how many outputs the rest of the run is expected to make, at most those of one file."""
        expected = self._expected(run)
        return max(min(expected, self.params.roll or MOST), 1)

    def _expected(self, run: Run) -> int:
        """Return the number of outputs from now to the end."""
        time, every = run.deck.time, self.params.every
        if time is None or every.kind == "end":
            return 1
        left = run.clock.end - run.clock.t
        match every.kind:
            case "times":
                return len([t for t in self.schedule_times() if t >= run.clock.t]) + 1
            case "time":
                return math.floor(left / float(every.value) + 1e-6) + 1  # type: ignore[arg-type]
            case "steps" if run.controller.fixed:
                steps, interval = math.ceil(left / time.step - 1e-9), int(every.value)  # type: ignore[arg-type]
                return steps // interval + 1 + (steps % interval > 0)
        return UNKNOWN

    def schedule_times(self) -> tuple[float, ...]:
        """Return the listed times of a ``times`` schedule."""
        value = self.params.every.value
        return value if isinstance(value, tuple) else ()
