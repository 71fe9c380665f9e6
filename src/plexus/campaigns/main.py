"""`plexus campaign`: draws of a sweep through one reduced model, and some of them through the full one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.campaigns import checks
from plexus.campaigns.figures import Figures
from plexus.campaigns.goingon import earlier
from plexus.campaigns.marching import Marched, Marcher
from plexus.campaigns.places import Places, scouted
from plexus.campaigns.reach import Reach
from plexus.campaigns.record import Record, numbered, text
from plexus.compose import compose
from plexus.errors import GuardError, InputError, SolveError
from plexus.io import seal
from plexus.offline.drawn import NEW, Drawn
from plexus.reduction.coverage import quantile
from plexus.reduction.responses import Elastic, outside
from plexus.runtime.first import on_first
from plexus.runtime.summary import STOPPED, Status, write_summary

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context

Array = np.ndarray
SCOUTS = 8
"""Draws that are looked at everywhere, to find the places at which the others are."""
INSTANTS = 4
"""Steps at which temperatures are compared with those of the training."""


class Campaign:
    """A campaign of a deck. Construction is collective.

    Raises
    ------
    InputError
        If the model does not know the temperatures of the draws, there are none, or it cannot march them.
    """

    def __init__(self, deck: Deck, ctx: Context):
        assert deck.campaign is not None and deck.rom is not None
        self.deck, self.ctx, self.block = deck, ctx, deck.campaign
        given: Any = deck.rom
        # draws are judged, and what an alarm leads to is no matter of many at once
        rom = given.model_copy(update={"indicator": None})
        self.run: Run = compose(deck.model_copy(update={"rom": rom}), ctx)
        self.run.observers = []
        self.system: ReducedSystem = self.run.system  # type: ignore[assignment]
        self.drawn = Drawn(deck, self.system.full, self.block.batch)
        self.drawn.require_warm()
        self.figures = Figures(self.run)
        # the deck's own draw finds the ends of the steps
        self.times = [self.run.clock.t, *(state.t for state in self.run.march())]
        self._require_known()
        self.marcher = Marcher(self.system, self.drawn, self.times)
        physics: Any = deck.physics
        self.reach = Reach(self.system, physics.law, self.drawn, self.times)
        self.lacking: dict[str, list[int]] = {}
        """What data do not reach -> the draws that go there."""
        self.tolerance = _tolerance(given.indicator, self.system.model.facts)
        root = ctx.folder if ctx.root else None
        self.record = Record(root, self.figures.units, ctx.texts | {"rom": identity(deck, ctx)})
        self.trained = set(self.system.model.facts.get("draws", ()))
        self.cost = {"draws": 0.0, "checks": 0.0}

    def _require_known(self) -> None:
        """Refuse draws whose temperatures no training has seen. Collective."""
        system = self.system
        times = self.times[-1 : 0 : -max(1, len(self.times) // INSTANTS)]
        elastic, unknown = Elastic(system.full, self.times[0]), []
        for number in self.drawn.farthest:
            self.drawn.put(number)
            heat = elastic.temperatures(times)
            if heat.shape[1] and outside(system.comm, heat, system.model.kept.temperatures) > 2 * NEW:
                unknown.append(number)
        if unknown:
            raise InputError(
                f"rom: the training has not seen the temperatures of draw {unknown[0]}"
                + (f" and {len(unknown) - 1} others" if len(unknown) > 1 else "")
                + "; `reduce: {draws: …}` on this deck makes a model that knows them"
            )

    def march(self) -> str | None:
        """March all draws that have no row yet; return why it ends before that. Collective."""
        places: Places | None = None
        left = [k for k in range(self.drawn.count) if k not in self.record.rows]
        begin = time.process_time()
        for first in range(0, len(left), self.block.batch):
            numbers = left[first : first + self.block.batch]
            with self.ctx.timers("draws"):
                places = places or self._places()
                self._take(numbers, self.marcher.march(numbers), places)
            self.record.write()
            self.ctx.log.info(f"{len(self.record.rows)} of {self.drawn.count} draws")
            why = self.ctx.stop.agree().reason
            if why and len(self.record.rows) < self.drawn.count:
                return why
        self.cost["draws"] = (time.process_time() - begin) / max(len(left), 1)
        return None

    def _places(self) -> Places:
        """Look everywhere at some draws, and return where others are looked at. Collective."""
        numbers = self.drawn.farthest[:SCOUTS]
        found = self.marcher.march(numbers)
        good = np.flatnonzero(found.newton >= 0)
        if not len(good):
            raise SolveError(f"campaign: none of the draws {', '.join(map(str, numbers))} comes to its end")
        return scouted(
            self.system, self.drawn, [numbers[i] for i in good], found.coordinates[good], self.times,
            self.figures.lifing(), self.block.places,
        )  # fmt: skip

    def _take(self, numbers: Sequence[int], found: Marched, places: Places) -> None:
        """Make the rows of draws. Collective."""
        good = np.flatnonzero(found.newton >= 0)
        alive = [numbers[i] for i in good]
        judged = places.judge(self.drawn, alive, found.coordinates[good])
        every = self.system.comm.allgather(
            np.stack([a.max(axis=1, initial=0.0) for a in (judged.p, judged.damage)])
        )
        worst = dict(zip(alive, np.max(every, axis=0).T.tolist(), strict=True))
        lacks = dict(zip(alive, zip(*self.system.comm.allgather(judged.missed), strict=True), strict=True))
        for number, g, missed, newton in zip(
            numbers, found.coordinates, found.missed, found.newton, strict=True
        ):
            row = {"draw": number, "trained": number in self.trained, "failed": newton < 0}
            if newton >= 0:
                self.drawn.put(number)
                row |= {"indicator": missed, "newton": newton}
                row |= {} if self.tolerance is None else {"beyond": missed > self.tolerance}
                row |= self.figures.of_body(g[-1], len(g)) | self.figures.of_places(*worst[number])
                row["outside"] = self._outside(number, [self.reach.outside(), *lacks[number]])
            self.record.rows[number] = {name: float(value) for name, value in row.items()}

    def _outside(self, number: int, parts: Sequence[Mapping[str, int]]) -> int:
        """Return at how many points data do not reach for a draw, most of any of them; note which."""
        total = Counter[str]()
        for part in parts:
            total.update(part)
        for what in +total:
            self.lacking.setdefault(what, []).append(number)
        return max(total.values(), default=0)

    def check(self) -> str | None:
        """March some draws by the full model; return why it ends before that. Collective."""
        rows = self.record.rows
        free = [k for k in sorted(rows) if not rows[k]["failed"] and k not in self.trained]
        count = min(self.block.check, len(free))
        chosen = [free[i * len(free) // count] for i in range(count)]
        left = [k for k in chosen if f"full_{next(iter(self.figures.ways))}" not in rows[k]]
        for place, number in enumerate(left):
            with self.ctx.timers("checks"):
                found = checks.marched(self.deck, self.ctx, number, self.figures.ways)
            if found is None:
                return self.ctx.stop.agree().reason
            self.record.compare(number, found[0])
            self.record.write()
            self.cost["checks"] += found[1] / len(left)
            self.ctx.log.info(f"checked draw {number} ({place + 1} of {len(left)})")
            why = self.ctx.stop.agree().reason
            if why and place + 1 < len(left):
                return why
        return None

    def facts(self) -> dict[str, Any]:
        """Return what the summary tells."""
        model = self.system.model
        told = {"modes": model.basis.shape[2], "points": model.points.n_global, "steps": len(self.times) - 1}
        cost = {"tolerance": self.tolerance, "cpu_seconds": self.cost}
        return self.record.facts() | told | {"left_out": self.figures.left_out} | cost


def _tolerance(indicator: Any, facts: Mapping[str, Any]) -> float | None:
    """Return the largest e_G that is no alarm; None where the deck says nothing."""
    if indicator is None:
        return None
    coverage = indicator.coverage
    factor = 1.0 if coverage is None else quantile(facts.get("ratios", []), coverage)
    return float(indicator.tolerance) / factor


def identity(deck: Deck, ctx: Context) -> str:
    """Return the identity of the file of the deck's reduced model. Collective."""
    given: Any = deck.rom
    return on_first(ctx.comm, lambda: seal.identity(Path(given.file)))


def campaign(deck: Deck, ctx: Context, restart: bool = False) -> int:
    """March the draws of a deck and report; return the exit code. Collective.

    Raises
    ------
    InputError
        If the reduced model and the draws do not go together.
    SolveError
        If no draw comes to its end.
    """
    texts, model = ctx.texts.get("deck", ""), identity(deck, ctx)
    rows = on_first(ctx.comm, lambda: earlier(ctx.folder, texts, model)) if restart else {}
    found = Campaign(deck, ctx)
    if restart:
        found.record.rows = rows
        ctx.accept()
        ctx.log.info(f"restart with {len(found.record.rows)} draws")
    # steps whose ends were looked for are not all there if that was asked to stop
    why = found.run.stop_reason or found.march() or found.check()
    facts = found.facts()
    if facts["draws"] and len(facts["failed"]) == facts["draws"]:
        raise SolveError("campaign: no draw comes to its end")
    ctx.log.info("\n" + text(facts, found.figures.units))
    if found.figures.left_out:
        ctx.log.info(f"left out, as they need the whole body's memory: {', '.join(found.figures.left_out)}")
    for what, draws in found.lacking.items():
        ctx.log.info(f"warning: {what}: draws {numbered(draws)}")
    refused = bool(facts["outside"]) and found.block.outside == "refuse"
    if refused and not why:
        ctx.log.info("their figures are none of the material: code 5; `campaign.outside: allow` takes them")
    status, code = _end(why, refused, bool(facts["failed"] or facts["outside"]))
    units = {"unknowns": found.system.unknowns, "units": found.figures.units}
    write_summary(ctx, status, code, units | {"campaign": facts})
    ctx.log.info(f"\nresults are in {ctx.folder}")
    if why:
        ctx.log.info(f"stopped early ({why}): go on with --restart")
    ctx.log.close()
    return code


def _end(why: str | None, refused: bool, lacks: bool) -> tuple[Status, int]:
    """Return status and exit code of a campaign: stopped, refused, or told to lack something."""
    if why:
        return "stopped", STOPPED
    if refused:
        return "failed", GuardError.exit_code
    return ("degraded" if lacks else "done"), 0
