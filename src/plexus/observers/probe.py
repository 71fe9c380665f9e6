"""Fields at points or along a line, as histories in ``series.h5`` (table ``probes/<name>``).

The value is that of the finite element function, u(x) = Σ_i u_i φ_i(x), in the cell that holds the point,
of the lowest number where several do; where materials meet the run warns, and points on a contact are
refused. On a periodic grid it is that of the trigonometric polynomial through all grid points. The positions
stand in the table's attribute ``positions`` (k, d). Columns: ``<field>`` for one point, else
``<field>_<number>``; components are added as ``_x``, ``_y``, ``_xy``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import model_validator

from plexus.deck.params import NAME, Field, FieldName, Params, ScheduleText, Unit
from plexus.deck.schedules import parse_schedule
from plexus.deck.values import refuse
from plexus.errors import at_path
from plexus.formulation.entries import PerAxis
from plexus.observers.base import History
from plexus.protocols import Balances
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.protocols import FieldSpec, Places
    from plexus.run import Run

EXAMPLE: dict[str, Any] = {"type": "probe", "name": "middle", "points": [[0.5, 0.5]], "every": "1 steps"}
AXES = "xyz"

Position = Annotated[tuple[Annotated[float, Unit("m")], ...], PerAxis]


class Line(Params):
    """A straight line of equally spaced points."""

    start: Position = Field(description="first point")
    end: Position = Field(description="last point")
    points: int = Field(101, ge=2, description="number of points, both ends included")

    @model_validator(mode="after")
    def _same_dimension(self) -> Line:
        if len(self.start) != len(self.end):
            raise refuse("start and end differ in their number of coordinates")
        return self


class ProbeParams(Params):
    """Parameters of a probe."""

    name: str = Field("probe", pattern=NAME, description="name of the table")
    points: list[Position] = Field([], description="positions, e.g. [[0, 0.1], [0, 0.2]]")
    line: Line | None = Field(None, description="positions along a line, instead of points")
    fields: tuple[FieldName, ...] = Field((), description="names; empty: the unknowns, or what a model shows")
    every: ScheduleText = Field(parse_schedule("1 steps"), description="when")

    @model_validator(mode="after")
    def _somewhere(self) -> ProbeParams:
        if bool(self.points) == (self.line is not None):
            raise refuse("give either points or a line")
        if len({len(point) for point in self.points}) > 1:
            raise refuse("the points differ in their number of coordinates")
        return self

    def positions(self) -> dict[str, np.ndarray]:
        """Return the positions (k, d) [m], by the key that gives them."""
        line = self.line
        if line is None:
            return {"points": np.array(self.points)}
        return {"line": np.linspace(line.start, line.end, line.points)}


@register("output", "probe", ProbeParams)
class Probe(History):
    """Samples fields at fixed positions."""

    def __init__(self, params: ProbeParams):
        super().__init__(params)
        self.params = params
        self._located: Places | None = None

    def positions(self) -> np.ndarray:
        """Return the positions, (k, d) [m]."""
        (found,) = self.params.positions().values()
        return found

    def start(self, run: Run) -> None:
        """Find the positions in the mesh. Collective.

        Raises
        ------
        InputError
            If a position lies outside the mesh, or on a contact.
        """
        super().start(run)
        with at_path(f"probe {self.params.name}"):
            self._located = run.fields.locate(self.positions())
        self._warn(run)

    def _warn(self, run: Run) -> None:
        """Tell of positions at which a field has a value on each side. Collective."""
        if not isinstance(run.fields, Balances):
            return
        ((key, xs),) = self.params.positions().items()
        for name in self.params.fields:
            several = run.fields.jumps({name}, xs)
            if len(several):
                i = run.deck.output.index(self.params)
                where = ", ".join(f"{v:g}" for v in xs[several[0]])
                text = f"materials meet at {len(several)} of {len(xs)} positions, the first at ({where}): "
                more = f"{name!r} may have another value on each side; those of one of them are told"
                run.ctx.log.info(f"warning: {run.deck.placed(f'output[{i}].{key}: {text}{more}')}")

    def observe(self, run: Run) -> None:
        """Sample the present state. Collective."""
        assert self._located is not None
        key, series = f"probes/{self.params.name}", run.series
        row: dict[str, float] = {"step": run.clock.step, "time": run.clock.t}
        units = {"time": "s"}
        for name in self.params.fields or tuple(run.fields.shown):
            spec, values = run.fields.sample(name, self._located)
            found = dict(_columns(spec, name, values))
            row |= found
            units |= dict.fromkeys(found, spec.unit)
        # a restart finds the row of its first state already there
        if run.ctx.root and series.last(key) != run.clock.step:
            series.fact(key, "positions", self.positions())
            series.add(key, row, units)
            series.flush()


def _columns(spec: FieldSpec, name: str, values: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield (column, value) for values (k, m) at k positions."""
    m = values.shape[1]
    d = round(m**0.5) if spec.shape == "tensor" else m
    tails = [""] if spec.shape == "scalar" else [f"_{a}" for a in AXES[:d]]
    if spec.shape == "tensor":
        tails = [f"_{a}{b}" for a in AXES[:d] for b in AXES[:d]]
    for i, row in enumerate(values):
        number = f"_{i}" if len(values) > 1 else ""
        for tail, value in zip(tails, row, strict=True):
            yield f"{name}{number}{tail}", float(value)
