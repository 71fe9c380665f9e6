"""Fields of reference runs: a deck is varied, its members are run, and some of their fields are looked at.

The members are those of a sweep (`vary`), dealt over the ranks and run in this process; where the
discretisation has ensembles, those that differ in their starts alone march as one batch: by equal or graded
steps, implicit ones where the deck's solves are exact, ``rtol`` and ``snes_rtol`` 1e-11 or less. Each is
kept as soon as it is done, so that a killed training goes on with the others. What they give is written once
to `data-<hash>.h5` in the run folder, or in that of the sweep whose members are trainings, the hash over all
that it depends on: decks, the files that they name, fields, times. Where such a file is there already,
nothing is computed.

A training of controls compares the runs of its own deck, varied in the same way, with the values at the nodes
of the reference, wherever these lie in the deck's own mesh: `fields` then names unknowns of the deck.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, InputFile, Params
from plexus.deck.parts import CONTROLS
from plexus.deck.sweep import Sweep
from plexus.deck.times import Times
from plexus.learning.data.base import DataBase
from plexus.learning.data.files import ColumnParams, ports_without
from plexus.mesh.grid import Grid
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {
    "type": "runs", "deck": "reference.yaml", "fields": {"u": "u", "s": "1 - u"},
    "vary": {"parameters": {"initial.u": [0, 1]}},
}  # fmt: skip


class RunsParams(Params):
    """Parameters of `Runs`."""

    deck: InputFile = Field(description="the reference deck")
    vary: Sweep | None = Field(None, description="members, as a sweep has them; none: the deck alone")
    fields: dict[str, ColumnParams] = Field(
        min_length=1, description="port of the part -> field, component or expression of the runs"
    )
    times: Times | None = Field(None, description="when they are looked at; none: at the end")
    lead: int = Field(
        0, ge=0, description="answers are those of so many times later, as operators of a step give them"
    )


@register("data", "runs", RunsParams)
class Runs(DataBase):
    """Every node of every member at every time, one sample per member and time, or per run of controls."""

    offers = frozenset({"targets", "later", "runs"})

    @staticmethod
    def problems(params: RunsParams, deck: Deck) -> Wrong:
        """Yield ports without a field, fields of no port, and what belongs to sweeps alone."""
        for place, text in ports_without(params.fields, deck):
            yield ("fields", *place), text
        vary = params.vary
        if vary is not None and (vary.ranks or vary.workers):
            yield ("vary",), "ranks and workers belong to sweeps; these runs take turns on the ranks"
        if vary is not None and (vary.run != "run" or vary.best or vary.search):
            yield ("vary",), "run, best and search belong to sweeps; these runs are all looked at"
        if deck.train is not None and deck.train.part == CONTROLS:
            yield from _unlike(params, deck)

    def words(self) -> str:
        """Return the number of members."""
        count = self.params.vary.size() if self.params.vary is not None else 1
        return f"{count} run{'s'[: count > 1]} of {Path(self.params.deck).name}"

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return every n-th sample for n ranks, with its inputs so many times later. Collective."""
        from plexus.learning.data._members import samples

        with session.ctx.timers("data"):
            return samples(session, self.params, tuple(leads))

    def case(self, group: int) -> dict[str, Any]:
        """Return the number of the member."""
        return {"run": group}

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return the reference deck and the hash of the data."""
        from plexus.learning.data._members import members, name_of

        told, runs = super().tell(session), members(self.params)
        setting = session.part.setting
        if isinstance(grid := getattr(setting.space, "mesh", None), Grid):
            lengths = {"cells": list(grid.cells), "size": list(grid.size), "unit": "m"}
            told["domain"] = {**lengths, "end_points": [False] * grid.dim}
            known = {n: v for n, v in setting.constants.items() if math.isfinite(v)}
            ranges = {n: {"low": v, "high": v, "unit": "1"} for n, v in known.items()}
            told["training"]["parameters"] = ranges
        told["training"] |= {
            "generator": f"runs of {Path(self.params.deck).name}",
            "runs": len(runs),
            "data": name_of(self.params, runs),
            "points": len(session.chosen()) * session.samples.cells,
        }
        return told


def _unlike(params: RunsParams, deck: Deck) -> Wrong:
    """Yield what the runs of the deck, whose controls are trained, would not have of the reference's."""
    vary = params.vary
    paths = {*vary.parameters, *(p for m in vary.members for p in m)} if vary is not None else set()
    for name in sorted(path.removeprefix("parameters.") for path in paths if path.startswith("parameters.")):
        if name not in deck.parameters:
            yield ("vary",), f"only the reference may have a parameter {name!r}: this deck has none to vary"
    if deck.time is None and params.times is not None:
        yield ("times",), "the deck's run is steady: leave them out, to compare it with the reference's end"
