"""Modes of positions and values along characteristics, which ``rom: {type: lagrangian}`` marches with.

The deck is marched twice: on the fixed cells, as it stands, and with all nodes of a line that moves. Modes
are those of the second march; the first one tells how far both answers are apart at the end. Source: R.
Mojgani, M. Balajewicz, arXiv:1701.04343 (2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.modelfile import ModelFile
from plexus.deck.params import Field, Params
from plexus.errors import InputError
from plexus.offline.kinds._snapshots import hit
from plexus.offline.whole import require_end
from plexus.protocols import Found, Waves
from plexus.registry import register
from plexus.roms import _line
from plexus.roms.lagrangian import LagrangianParams as RomParams

if TYPE_CHECKING:
    from plexus.coupling.projected import MovingSystem
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context

Array = np.ndarray


class LagrangianParams(Params):
    """Parameters of `Lagrangian`."""

    snapshots: int = Field(100, ge=2, description="intervals of equal length between snapshots")
    tolerance: float = Field(
        1e-6, ge=1e-7, lt=1, description="relative singular value below which modes are left out"
    )
    modes: int | None = Field(
        None, ge=0, description="most modes of the state; absent: as the tolerance says"
    )
    position_modes: int | None = Field(
        None, ge=0, description="most modes of the positions; absent: as the tolerance says"
    )
    spacing: float = Field(
        0.1, gt=0, lt=1, description="least distance of neighbouring nodes, relative to that at the start"
    )
    file: ModelFile = Field("rom.h5", description="name of the result in the run folder")


@register("reduction", "lagrangian", LagrangianParams)
class Lagrangian:
    """POD along characteristics."""

    needs = Waves

    def __init__(self, params: LagrangianParams):
        self.params = params

    @staticmethod
    def problems(deck: Any) -> Any:
        """Yield what a deck has that the model does not take."""
        found: list[Found] = list(_line.problems(deck, "reduce"))
        return found

    def make(self, deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any], str]:
        """March twice, reduce and write; return the run on cells, facts and a line about them. Collective.

        Raises
        ------
        InputError
            If nothing moves and nothing changes.
        GuardError
            If characteristics cross.
        """
        from plexus.compose import compose

        frame = RomParams(spacing=self.params.spacing)
        frame._type = "lagrangian"
        # what the line does not take is told before the first march
        moving = compose(deck.model_copy(update={"rom": frame}), ctx)
        run = compose(deck.model_copy(update={"rom": None}), ctx)
        run.execute()
        require_end(run)
        with ctx.timers("reduction"):
            facts = self._reduced(run, moving, ctx)
        told = (
            f"{facts['position_modes']} modes of positions, {facts['modes']} of {facts['unknown']}, on "
            f"{facts['nodes']:,} nodes (from the run on cells {facts['off']:.2g}, neighbours at "
            f"{facts['least_spacing']:.2g} of their distance at least)"
        )
        return run, facts, told

    def _reduced(self, run: Run, moving: Run, ctx: Context) -> dict[str, Any]:
        """March the line, write the modes and return the facts. Collective."""
        from plexus.reduction import basis

        system: MovingSystem = moving.system  # type: ignore[assignment]
        line, name, start = system.line, system.name, moving.clock.t
        rows = []
        for _ in hit(moving, self.params.snapshots):
            rows.append(moving.state.values[name][:, 0] - line.origin)
        change, n = np.column_stack(rows), line.n
        positions = self._modes(change[:n], line.weights[:n], 1.0, self.params.position_modes)
        values = self._modes(change[n:], line.weights[n:], 1.0, self.params.modes)
        modes = np.column_stack([positions.modes, values.modes])
        if not modes.shape[1]:
            raise InputError(f"reduce: neither do positions move nor does {name} change")
        here, there = run.fields.evaluate(name)[2], moving.fields.evaluate(name)[2]
        facts = {
            "unknown": name, "nodes": n, "position_modes": int(positions.modes.shape[1]),
            "modes": int(values.modes.shape[1]), "snapshots": len(rows),
            "trained": [start, moving.clock.t], "off": _distance(ctx.comm, there, here),
            "least_spacing": line.least, "tolerance": self.params.tolerance,
            "position_spectrum": positions.spectrum.tolist(), "spectrum": values.spectrum.tolist(),
        }  # fmt: skip
        own = slice(None) if ctx.comm.rank == 0 else slice(0)
        arrays = {"origin": line.origin.reshape(2, n).T[own], "modes": modes[own]}
        path = ctx.folder / self.params.file
        basis.save(path, ctx.comm, basis.LINE, np.arange(n)[own], arrays, facts)
        return facts

    def _modes(self, rows: Array, weights: Array, scale: float, most: int | None) -> Any:
        """Return the modes of rows that every rank has."""
        from mpi4py import MPI

        from plexus.reduction.basis import modes_of

        return modes_of(MPI.COMM_SELF, rows, weights, scale, self.params.tolerance, most)


def _distance(comm: Any, a: Array, b: Array) -> float:
    """Return |a - b|/|b| over all ranks. Collective."""
    total = comm.allreduce(np.array([((a - b) ** 2).sum(), (b**2).sum()]))
    return float((total[0] / total[1]) ** 0.5) if total[1] > 0 else float(total[0] ** 0.5)


EXAMPLE: dict[str, Any] = {"type": "lagrangian", "modes": 5}
