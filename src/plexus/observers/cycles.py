"""What each cycle of load does at points, and how many of them the body bears: ``cycles.vtkhdf``.

The file has a step per cycle, and ``cycles.xdmf`` beside it.
At every quadrature point, of the cycles that are asked for: ``strain_range`` Δε and ``stress_range`` Δσ,
equivalent ranges; ``peak_stress``, ``mean_stress`` and ``mean_strain`` normal to the plane of the strain
range; ``peak_mises``; ``plastic_range`` Δε_p; ``p_growth`` Δp; ``dissipated`` W, plastic work per volume;
with ``life`` also ``damage``, the share of the life that such a cycle takes, and ``life`` in cycles.
Definitions: `plexus.life._cycle`. The table ``cycles/<name>`` of ``series.h5`` has a row per cycle: its
number, the largest of these, the shortest life and its place, ``change`` of Δε and W since the cycle looked
at before, relative to the largest, whether it is ``stable``, and at how many points data of the criterion do
not reach (``outside``).

The instants are those of the steps, all of which are kept until the cycle ends, 21 numbers each at every
point. A reduced model makes its fields at all points where it is looked at: ask for few cycles.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from plexus.deck.params import NAME, Component, Field, Params, RegionName, ScheduleText
from plexus.deck.schedules import parse_schedule
from plexus.observers._instants import Instants
from plexus.observers._latest import Latest
from plexus.observers._lives import Lives
from plexus.observers._summary import MADE
from plexus.observers.fields import SHOWN, Fields
from plexus.protocols import Balances
from plexus.registry import build, register
from plexus.stepping.turns import Turns, turns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexus.run import Run

Array = np.ndarray


class CyclesParams(Params):
    """Parameters of `Cycles`."""

    name: str = Field("cycles", pattern=NAME, description="name of the files and of the table")
    each: int = Field(1, ge=1, description="cycles whose number is a multiple of this are looked at")
    last: int | None = Field(
        None, ge=1, description="only so many of the last cycles; absent: from the first on"
    )
    region: RegionName | None = Field(
        None, description="where lives are asked for; the whole body without it"
    )
    life: Annotated[Params | None, Component("life")] = Field(None, description="criterion; absent: no lives")
    tolerance: float = Field(
        0.01, gt=0, lt=1, description="change between two cycles below which they are stable"
    )
    internal: Literal["cells", "nodes", "points"] = Field(
        "cells", description="where the fields are shown; `points`: in /plexus of the file, not for ParaView"
    )
    roll: int | None = Field(None, ge=1, description="cycles per file; absent: all in one file")

    @property
    def every(self) -> ScheduleText:
        """Every step: which of them are looked at depends on the period."""
        return parse_schedule("1 steps")


@register("output", "cycles", CyclesParams)
class Cycles(Fields):
    """Collects the instants of a cycle and writes what it was."""

    needs = Balances
    params: CyclesParams  # type: ignore[assignment]

    def __init__(self, params: CyclesParams):
        super().__init__(params)  # type: ignore[arg-type]
        self.name = params.name
        self.lives = None if params.life is None else Lives(build("life", params.life), params.region)
        self.instants: Instants | None = None
        self.turns = Turns(0.0, 1.0, 0, 1, None)
        self.latest = Latest(self.lives)
        self._told: dict[str, Any] = {}
        """What a checkpoint has told, until its rows come."""

    def start(self, run: Run) -> None:
        """Forget instants that lie ahead; a restart goes on in the files that are there. Collective."""
        self.turns = turns_of(run.deck, self.params.each, self.params.last)
        instants = self._seen(run)
        instants.leave(run.clock.t)
        # steps that no one has looked at lie between: a cycle that lacks them is not known
        if instants.times[-1:] != [run.clock.t]:
            instants.keep(0)
        super().start(run)
        self.schedule = self.turns

    def observe(self, run: Run) -> None:
        """Take the present state as an instant, and end the cycle where it ends. Collective."""
        instants, (cycle, ends) = self._seen(run), self.turns.at(run.clock.t)
        # a run that begins within a cycle does not know all of it
        if instants.times[-1:] == [run.clock.t] or not (ends or instants.times):
            return
        instants.add()
        if not ends:
            return
        if len(instants.times) > 1 and self.turns.wanted(cycle):
            self._end(run, cycle)
        instants.keep(1)

    def finish(self, run: Run) -> None:
        """Close the file; say what life was found. Collective."""
        super().finish(run)
        if self.lives is not None and self.latest.made:
            at = ", ".join(f"{x:.6g}" for x in self.lives.place)
            run.ctx.log.info(f"{self.name}: shortest life {self.lives.shortest:.6g} cycles, at ({at}) m")

    def shortest(self, run: Run) -> tuple[float, Array]:
        """Return the shortest life of the latest cycle [cycles] and its place (d,) [m]. Collective."""
        assert self.lives is not None, "a deck asks for lives where there is a criterion"
        # the series may ask before this output was shown the state
        if self.instants is not None and self.turns.due(run.moment):
            self.observe(run)
        return self.lives.shortest, np.array(self.lives.place)

    def _seen(self, run: Run) -> Instants:
        """Return the instants so far."""
        if self.instants is None:
            self.instants = Instants(run)
        return self.instants

    def _end(self, run: Run, number: int) -> None:
        """Make the fields of a cycle, write them and tell of it. Collective."""
        instants, latest = self._seen(run), self.latest
        missed = latest.take(instants.points, instants.cycle(), self.params.tolerance)
        self._warn(run, missed)
        row = {"step": run.clock.step, "time": run.clock.t, "cycle": number, **latest.row}
        row |= {} if self.lives is None else {"outside": max(missed.values(), default=0)}
        run.ctx.log.detail(f"cycle {number}: change {row['change']:.3g}{', stable' * bool(row['stable'])}")
        super().observe(run)
        if run.ctx.root and run.series.last(f"cycles/{self.name}") != run.clock.step:
            units = {name: unit for name, (_, unit, _) in MADE.items() if unit != "1"}
            run.series.add(f"cycles/{self.name}", row, units | {"time": "s", "x": "m", "y": "m", "z": "m"})
            run.series.flush()

    def _warn(self, run: Run, missed: Mapping[str, int]) -> None:
        """Tell at how many points a cycle is beyond the data."""
        for what, count in missed.items():
            if count:
                place = f"{run.places.get(self, 'output')}.life"
                run.ctx.log.info(f"warning: {place}: t = {run.clock.t:g} s, {count:,} points: {what}")

    # the file, see `Fields`

    def _evaluate(self, run: Run) -> tuple[list[Any], dict[str, Any]]:
        """Return the columns and the values of the latest cycle, none before the first one."""
        rule, where = self._seen(run).points.rule, SHOWN[self.params.internal]
        at = tuple(map(tuple, rule.points.tolist())) if where == "point" else ()
        return self.latest.columns(where, at), dict(self.latest.shown(partial(self._view, run)))

    def _view(self, run: Run, rows: Array) -> Array:
        """Return rows (n_local, 1) at the points where they are shown."""
        points, fields = self._seen(run).points, run.fields
        if self.params.internal == "points":
            return rows
        if self.params.internal == "cells":
            return points.cell_means(rows)
        return points.recovered(rows, fields.space)  # type: ignore[attr-defined]

    def _expected(self, run: Run) -> int:
        """Return the number of cycles that are still to be written."""
        turns = turns_of(run.deck, self.params.each, self.params.last)
        return sum(turns.wanted(k) for k in range(turns.at(run.clock.t)[0], turns.total + 1))

    # restarts

    def state(self) -> dict[str, Any]:
        """Return the times of the instants, and the shortest life so far."""
        if self.instants is None:
            return dict(self._told)
        lives = (
            {}
            if self.lives is None
            else {"life": repr(self.lives.shortest), "place": list(map(repr, self.lives.place))}
        )
        return {"times": list(self.instants.times), "compared": self.latest.before is not None, **lives}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned; `take` brings the instants."""
        self._told, self.instants, self.latest.before = dict(state), None, None
        if self.lives is not None and "life" in state:
            self.lives.shortest, self.lives.place = float(state["life"]), [float(x) for x in state["place"]]

    def rooms(self, run: Run) -> Mapping[str, Any]:
        """Return the quadrature points."""
        return {self.name: self._seen(run).points}

    def kept(self, run: Run) -> Mapping[str, Array]:
        """Return the instants side by side, and what is compared with the next cycle."""
        instants, last = self._seen(run), self.latest.before
        last = np.zeros((instants.points.n_local, 2)) if last is None else last
        return {self.name: np.concatenate([*instants.rows, last], axis=1)}

    def take(self, rows: Mapping[str, Array]) -> None:
        """Take the instants over."""
        found, told = rows[self.name], self._told
        assert self.instants is not None
        self.instants.unpack([float(t) for t in told["times"]], found[:, :-2])
        self.latest.before = np.ascontiguousarray(found[:, -2:]) if told["compared"] else None


EXAMPLE: dict[str, Any] = {
    "type": "cycles",
    "last": 2,
    "life": {
        "type": "smith_watson_topper",
        "strength": "1000 MPa",
        "strength_exponent": -0.09,
        "ductility": 0.5,
        "ductility_exponent": -0.6,
    },
}
