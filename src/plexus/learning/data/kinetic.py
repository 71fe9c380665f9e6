"""Frames of kinetic runs of a suspension: every moment of the orientations up to a cut-off, at some times.

A frame holds the moments that the reduced model carries, the flow that they drive, and what the closure
should answer. The runs are computed by the training itself, in turn by its ranks, and kept in memory;
members of a sweep share them.
Source: S. Maddu, S. Weady, M. Shelley, J. Comput. Phys. 504 (2024) 112869,
doi:10.1016/j.jcp.2024.112869; valid where `moments` resolve the distribution of orientations.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck import parts
from plexus.deck.params import Field, Params, Unit
from plexus.deck.times import Times
from plexus.errors import at_path
from plexus.learning.data.base import DataBase
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session
    from plexus.runtime.context import Context

EXAMPLE: dict[str, Any] = {"type": "kinetic", "cases": [{"alpha": -3, "zeta": 1, "seed": 1}]}
FRAME = 40
"""Bytes of a frame per unknown of the reduced model."""
CONSTANTS = {"alpha": "1/s", "beta": "1", "zeta": "1/s", "d_T": "m^2/s", "d_R": "1/s"}
"""Constants of the model and their units, for a concentration that is 1 in the mean."""


class KineticCase(Params):
    """One kinetic run."""

    alpha: float = Field(description="dipole strength")
    zeta: float = Field(ge=0, description="steric alignment")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="seed of the initial waves")
    substeps: int = Field(
        1, ge=1, description="steps of this run per step of the model; strong flows need shorter ones"
    )

    def __str__(self) -> str:
        """Return what tells it from others."""
        return f"alpha {self.alpha:g}, zeta {self.zeta:g}, seed {self.seed}"


class Frames(Times):
    """Times at which a kinetic run is looked at."""

    start: Annotated[float, Unit("s")] = Field(4.0, ge=0, description="time of the first frame")
    end: Annotated[float, Unit("s")] = Field(25.0, gt=0, description="time of the last frame")
    every: Annotated[float, Unit("s")] = Field(0.5, gt=0, description="time between frames")


class KineticParams(Params):
    """Parameters of `Kinetic`."""

    cases: tuple[KineticCase, ...] = Field(min_length=1, description="kinetic runs")
    frames: Frames = Field(Frames(), description="when they are looked at")
    moments: int = Field(20, ge=4, description="number K of moments of the kinetic runs, cut off after it")


@register("data", "kinetic", KineticParams)
class Kinetic(DataBase):
    """Frames of kinetic runs on the deck's mesh, with its constants but for those of the cases."""

    offers = frozenset({"targets", "grid", "flow"})

    @staticmethod
    def problems(params: KineticParams, deck: Deck) -> Wrong:
        """Yield frames at times that the steps do not meet, and decks that have no such runs."""
        if parts.gap(deck.physics) is None or deck.time is None:
            yield ("type",), f"kinetic runs belong to active_fluid; {deck.physics.type} has none"
            return
        for key in ("start", "every"):
            t = getattr(params.frames, key)
            steps = t / deck.time.step
            if abs(steps - round(steps)) > 1e-6 * max(steps, 1):
                text = f"{t:g} s is {steps:.6g} steps of {deck.time.step:g} s; frames are at whole steps"
                yield ("frames", key), text

    @staticmethod
    def room(params: KineticParams, unknowns: int) -> float:
        """Return the bytes of all frames."""
        return len(params.frames.times()) * len(params.cases) * FRAME * unknowns

    def words(self) -> str:
        """Return the number of runs and moments."""
        runs = len(self.params.cases)
        return f"{runs} kinetic run{'s'[: runs > 1]} of {self.params.moments} moments"

    def space(self, deck: Deck, ctx: Context) -> Any:
        """Return the deck's grid, on one rank: each has runs of its own."""
        from plexus.spaces.fourier import Fourier

        with at_path("mesh"):
            dealias: Any = getattr(deck.physics, "dealias", "two_thirds")
            mesh: Any = deck.mesh
            return Fourier(mesh.cells, mesh.size, None, ctx.device, dealias=dealias)

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return this rank's share of the frames of the runs, which ranks take in turn. Collective."""
        from plexus.learning.data._source import Source, impossible, recorded
        from plexus.learning.samples import dealt

        deck, ctx, team = session.deck, session.ctx, session.team
        assert deck.time is not None
        closes, times, found = session.part.closes, self.params.frames.times(), []
        source = Source(
            session.space, deck.physics, closes, self.params.moments, deck.time.step, tuple(leads)
        )
        with ctx.timers("kinetic runs"):
            for n, case in enumerate(self.params.cases):
                if n % team.size == team.rank:
                    begin = time.monotonic()
                    frames, there = recorded(source, case, n, times, ctx.folder)
                    found.append(frames)
                    how = "of another member" if there else f"{time.monotonic() - begin:.1f} s"
                    ctx.log.info(f"kinetic run {case}: {len(times)} frames, {how}")
                    wrong = impossible(found[-1].inputs)
                    if wrong is not None:
                        ctx.log.warn(f"kinetic run {case}: {wrong}")
            return dealt(team, found)

    def case(self, group: int) -> dict[str, Any]:
        """Return constants and seed of a run."""
        case = self.params.cases[group]
        return {"alpha": case.alpha, "zeta": case.zeta, "seed": case.seed}

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return grid, runs, times, and the range of each constant."""
        p, space, step = self.params, session.space, session.deck.time
        assert step is not None
        count = len(session.chosen())
        # a periodic grid does not repeat its first point
        domain = {"cells": list(space.cells), "size": list(space.lengths), "unit": "m",
                  "end_points": [False] * len(space.cells)}  # fmt: skip
        training = {
            "generator": f"{session.deck.physics.type}, {p.moments} moments, step {step.step:g} / substeps",
            "parameters": self._ranges(session.deck.physics),
            "filter": "none",
            "frames": count,
            "points": count * space.cells[0] * space.cells[1],
            "seeds": [c.seed for c in p.cases],
            "cases": [c.model_dump() for c in p.cases],
            "times": p.frames.model_dump(),
        }
        return {"domain": domain, "training": training}

    def _ranges(self, physics: Any) -> dict[str, Any]:
        """Return the range of each constant over the runs; those that cases do not name stay put."""
        found = {}
        for name, unit in CONSTANTS.items():
            values = [float(getattr(case, name, getattr(physics, name))) for case in self.params.cases]
            found[name] = {"low": min(values), "high": max(values), "unit": unit}
        return found
