"""Histories in ``series.h5``: quantities, time steps, solver iterations and residual norms, transfers.

Tables (see `plexus.io.series`): ``quantities`` (one column per quantity of the deck), ``steps`` (size of each
step), ``solver/<field>`` (Newton steps, Krylov iterations, first and last residual of each solve),
``newton/<field>`` and ``krylov/<field>`` (every residual norm), ``transfers`` (copies to and from a device),
of models in Fourier space ``monitor`` (drifts, residuals of identities) and ``closure`` (what it reports).
A run writes its histories even if the deck does not name this output, on elements in every step, in Fourier
space in every tenth; naming it sets how often. Of a reduced model they hold what costs a product of its
coordinates only; all quantities where the deck names this output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params, ScheduleText
from plexus.deck.schedules import parse_schedule
from plexus.observers.base import History
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.io.series import Series as Table
    from plexus.run import Run

EXAMPLE: dict[str, Any] = {"type": "series", "every": "1 steps", "residuals": True}


class SeriesParams(Params):
    """Parameters of the histories."""

    every: ScheduleText = Field(parse_schedule("1 steps"), description="when the quantities are evaluated")
    fields: bool = Field(
        True, description="of a reduced model: also quantities that need fields of the whole body"
    )
    residuals: bool = Field(True, description="keep every residual norm of every solve")


@register("output", "series", SeriesParams)
class Series(History):
    """Collects rows on a schedule; rank 0 writes them."""

    def __init__(self, params: SeriesParams):
        super().__init__(params)
        self.params = params
        self._previous: tuple[int, float] | None = None

    def start(self, run: Run) -> None:
        """Count intervals from the start time; a restart goes on in the tables that are there."""
        super().start(run)
        self._previous = run.clock.step, run.clock.t

    def observe(self, run: Run) -> None:
        """Add the present state to the tables. Collective: quantities are evaluated."""
        from plexus.devices.transfers import transfers

        table = run.series
        values = run.values(cheap=not self.params.fields)
        at = {"step": run.clock.step, "time": run.clock.t}
        solves = {name: solver.drain() for name, solver in run.system.solvers.items()}
        histories = run.system.histories(run.state)
        # a restart finds the row of its first state already there
        if not run.ctx.root or table.last("quantities") == run.clock.step:
            return
        table.add("quantities", at | values, {"time": "s"} | run.units)
        self._add_step(run, table, at)
        if transfers.to_device:
            table.add("transfers", at | transfers.as_dict(), {"time": "s", "seconds": "s"})
        for name, row in histories.items():
            table.add(name, at | row, {"time": "s"})
        for name, records in solves.items():
            for record in records:
                self._add_solve(table, name, at, record)
        table.flush()

    def _add_step(self, run: Run, table: Table, at: dict[str, float]) -> None:
        """Add size and wall time of the steps since the last row."""
        if self._previous is not None and run.clock.step > self._previous[0]:
            dt = (run.clock.t - self._previous[1]) / (run.clock.step - self._previous[0])
            row = at | {"dt": dt, "rejected": run.controller.rejected, "wall": run.ctx.timers.elapsed}
            table.add("steps", row, {"time": "s", "dt": "s", "wall": "s"})
        self._previous = run.clock.step, run.clock.t

    def _add_solve(self, table: Table, name: str, at: dict[str, float], record: Any) -> None:
        """Add one solve and, if asked, its residual norms."""
        norms = record.residuals
        row: dict[str, float] = at | {"newton": record.newton, "iterations": record.iterations}
        row |= {"fallback": record.fallback}
        if len(norms):
            row |= {"first_residual": norms[0], "last_residual": norms[-1]}
        table.add(f"solver/{name}", row, {"time": "s"})
        if self.params.residuals:
            for kind, values in (("newton", norms), ("krylov", record.krylov)):
                for i, norm in enumerate(values):
                    table.add(f"{kind}/{name}", at | {"iteration": i, "norm": norm}, {"time": "s"})
