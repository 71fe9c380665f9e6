"""A basis with a cubature for solids with memory, which ``rom: {type: galerkin}`` marches with.

Source: F. Casenave, N. Akkari, F. Bordeu, C. Rey, D. Ryckelynck, Int. J. Numer. Methods Eng. 121 (2020) 32,
doi:10.1002/nme.6187.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.deck.reduce import Reduce
from plexus.fileformat import PROGRESS, SUMMARY, SWEEP
from plexus.protocols import Balances, Found
from plexus.reduction.facts import beside
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context


LONG = ("names", "weights", "places", "errors", "counts", "trajectories")
"""Facts with a number per point or step, which the file of the model holds and the summary does not."""


@register("reduction", "galerkin", Reduce)
class Galerkin:
    """POD of displacements and empirical cubature."""

    needs = Balances

    def __init__(self, params: Reduce):
        self.params, self.resumes = params, params.draws is None

    @staticmethod
    def problems(deck: Any) -> Iterator[Found]:
        """Yield what is missing where draws shall be marched, and a name that is taken."""
        block, sweep = deck.reduce, deck.sweep
        if (told := str(beside(Path(block.file)))) in (SUMMARY, PROGRESS, SWEEP):
            yield (
                ("reduce", "file"),
                f"its facts would lie in {told}, which is another file: choose another name",
            )
        if block.draws is None:
            return
        place = ("reduce", "draws")
        if sweep is None or sweep.mode != "draws":
            yield place, "marches draws of a sweep, and the deck has no `sweep: {mode: draws}`"
        elif block.draws > sweep.samples:
            yield place, f"{block.draws} are more than the {sweep.samples} draws of the sweep"
        if block.snapshots.type != "run":
            yield place, f"draws are marched, and snapshots come from {block.snapshots.type}"
        if block.calibration:
            yield place, "calibration is of the deck's own run, and these are many"

    def make(self, deck: Deck, ctx: Context, restart: str | None = None) -> tuple[Run, dict[str, Any], str]:
        """March, reduce and write; return the run, facts and a line about them. Collective."""
        from plexus.offline import draws, main
        from plexus.offline import facts as told_of

        run, facts = main.reduce(deck, ctx, restart) if self.resumes else draws.reduce(deck, ctx)
        if run.stop_reason:
            return run, {}, "the run has stopped before its end: there is no model yet"
        told_of.write(deck, run, ctx, facts)
        told = (
            f"{facts['modes']} modes, {len(facts['names'])} of {facts['points']:,} points "
            f"(integrals to {facts['error']:.2g}): {ctx.folder / self.params.file}"
        )
        counts = {"points": len(facts["names"]), "of_points": facts["points"]}
        return run, {k: v for k, v in facts.items() if k not in LONG} | counts, told


EXAMPLE: dict[str, Any] = {"type": "galerkin", "tolerance": 1e-6, "cubature": 1e-5}
