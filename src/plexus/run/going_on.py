"""A run that goes on from a checkpoint, told in its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.io.hdf5 import on_root
from plexus.io.restart import resume
from plexus.io.results import put_away_damaged

if TYPE_CHECKING:
    from plexus.run import Run


def go_on(run: Run, choice: str) -> None:
    """Continue from a checkpoint, a file or ``latest``; say which, and how the deck differs. Collective.

    Raises
    ------
    InputError
        On all ranks, if there is no valid one, or it is of another mesh.
    """
    told: list[str] = []
    with run.ctx.timers("restart"):
        path, changes = resume(run, choice, run.ctx.folder)
        if not run.dry:
            run.ctx.accept()
            on_root(run.ctx.comm, lambda: told.extend(put_away_damaged(run.ctx.folder)))
    for text in told:
        run.ctx.log.warn(text)
    run.ctx.log.info(f"restart from {path} at step {run.clock.step}, t = {run.clock.t:.6g} s")
    for change in changes:
        run.ctx.log.info(f"  deck changed: {change}")
    if run.clock.t > run.clock.end and run.ctx.root:
        run.ctx.log.warn(f"the checkpoint is later than the end {run.clock.end:g} s: nothing is left to do")
