"""Checkpoints from which a run goes on, on any number of ranks.

Each one is a file of its own, ``checkpoint_<step>.h5``; it appears only when it is complete, and only then
older ones are deleted. Without a schedule one is written when a run is stopped early (signal, time limit).
See `plexus.io.checkpoint` for the layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params, ScheduleText
from plexus.observers.base import Scheduled
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run

EXAMPLE: dict[str, Any] = {"type": "checkpoint", "every": "30 min wall", "keep": 2}


class CheckpointParams(Params):
    """Parameters of checkpoints."""

    every: ScheduleText | None = Field(None, description="when; absent: only when the run is stopped early")
    keep: int = Field(2, ge=1, description="number of checkpoints to keep; older ones are deleted")


@register("output", "checkpoint", CheckpointParams)
class Checkpoint(Scheduled):
    """Writes checkpoints on a schedule, and always when the run stops early."""

    def __init__(self, params: CheckpointParams):
        super().__init__(params)
        self.params = params
        self._written: int | None = None

    def start(self, run: Run) -> None:
        """Count intervals from the start time; a checkpoint that the run came from is not written again."""
        super().start(run)
        self._written = run.clock.step if run.restarted else None

    def observe(self, run: Run) -> None:
        """Write a checkpoint of the present step, then delete the oldest ones. Collective."""
        from plexus.io import checkpoint, restart

        step, ctx = run.clock.step, run.ctx
        if step == self._written or (step == 0 and not run.last):
            return
        path = checkpoint.name(ctx.folder, step)
        if ctx.root:  # so that the histories of a run that dies after this have no gap
            run.series.flush(force=True)
        restart.save(run, path)
        checkpoint.prune(ctx.folder, ctx.comm, self.params.keep, run.lineage.owns)
        self._written = step
        ctx.log.detail(f"wrote {path.name}")

    def finish(self, run: Run) -> None:
        """Write the last checkpoint of a run that was stopped. Collective."""
        if run.stop_reason:
            self.observe(run)
