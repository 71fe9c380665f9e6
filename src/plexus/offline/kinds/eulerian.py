"""Modes of the cell means of a fixed grid, which ``rom: {type: eulerian}`` marches with.

POD of the differences from the start, in L2: L. Sirovich, Quart. Appl. Math. 45 (1987) 561,
doi:10.1090/qam/910462.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.modelfile import ModelFile
from plexus.deck.params import Field, Params
from plexus.offline.kinds._snapshots import Sampled
from plexus.offline.whole import require_end
from plexus.protocols import Found, Waves
from plexus.registry import register
from plexus.roms import _line

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context


class EulerianParams(Params):
    """Parameters of `Eulerian`."""

    snapshots: int = Field(100, ge=2, description="intervals of equal length between snapshots")
    tolerance: float = Field(
        1e-6, ge=1e-7, lt=1, description="relative singular value below which modes are left out"
    )
    modes: int | None = Field(None, ge=1, description="most modes; absent: as many as the tolerance keeps")
    file: ModelFile = Field("rom.h5", description="name of the result in the run folder")


@register("reduction", "eulerian", EulerianParams)
class Eulerian:
    """POD on cells."""

    needs = Waves

    def __init__(self, params: EulerianParams):
        self.params = params

    @staticmethod
    def problems(deck: Any) -> Any:
        """Yield what a deck has that the model does not take."""
        found: list[Found] = list(_line.problems(deck, "reduce", (1, 2, 3)))
        return found

    def make(self, deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any], str]:
        """March, reduce and write; return the run, facts and a line about them. Collective."""
        from plexus.compose import compose
        from plexus.reduction import basis

        run = compose(deck.model_copy(update={"rom": None}), ctx)
        cells, name = run.system.cells, run.system.evolving[0]  # type: ignore[attr-defined]
        taken = Sampled(name, run, self.params.snapshots)
        run.observers.append(taken)
        run.execute()
        require_end(run)
        with ctx.timers("reduction"):
            rows = np.column_stack([u[:, 0] for u in taken.rows])
            weights = np.full(len(rows), 1 / cells.n_global)
            start = rows[:, :1]
            scale = float(ctx.comm.allreduce(float(weights @ start[:, 0] ** 2))) ** 0.5
            found = basis.modes_of(
                ctx.comm, rows[:, 1:] - start, weights, scale, self.params.tolerance, self.params.modes
            )
            facts = {
                "unknown": name, "grid": list(cells.mesh.cells), "modes": int(found.modes.shape[1]),
                "snapshots": len(taken.rows), "trained": [taken.times[0], taken.times[-1]],
                "spectrum": found.spectrum.tolist(), "tolerance": self.params.tolerance,
            }  # fmt: skip
            path = ctx.folder / self.params.file
            basis.save(path, ctx.comm, basis.CELLS, cells.names(), {"modes": found.modes}, facts)
        return run, facts, f"{facts['modes']} modes of {name} on {cells.n_global:,} cells"


EXAMPLE: dict[str, Any] = {"type": "eulerian", "modes": 5}
