"""How far a run is: ``progress.json`` for scripts, a bar on a terminal, now and then a line in the log.

The share is that of simulated time, (t - start)/(end - start); the finish date assumes that the rest goes at
the mean speed so far. A run reports its progress even if the deck does not name this output.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck.params import Field, Params, ScheduleText, Unit
from plexus.deck.schedules import parse_schedule
from plexus.observers.base import Scheduled
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run

EXAMPLE: dict[str, Any] = {"type": "progress", "pause": "2 s"}


class ProgressParams(Params):
    """Parameters of the progress report."""

    every: ScheduleText = Field(parse_schedule("1 steps"), description="when it is looked at")
    pause: Annotated[float, Unit("s")] = Field(1.0, ge=0, description="shortest time between two reports")
    line: Annotated[float, Unit("s")] = Field(60.0, gt=0, description="time between two lines in the log")


@register("output", "progress", ProgressParams)
class Progress(Scheduled):
    """Reports from rank 0."""

    def __init__(self, params: ProgressParams):
        super().__init__(params)
        self.params = params
        self._begin = self._report = self._line = 0.0
        self._share = 0.0

    def start(self, run: Run) -> None:
        """Remember where this process began."""
        super().start(run)
        self._begin = self._line = time.monotonic()
        self._share = _share(run)
        if run.ctx.root:
            # a restart finds the end of the run before it in this file
            self._write(run, "running", self._begin)

    def observe(self, run: Run) -> None:
        """Report if the pause is over."""
        now = time.monotonic()
        if not run.ctx.root or (now - self._report < self.params.pause and not run.last):
            return
        self._report = now
        self._write(run, "running", now)
        text = f"step {run.clock.step}, t = {run.clock.t:.4g} s"
        run.ctx.log.progress(_share(run), text)
        if now - self._line >= self.params.line:
            self._line = now
            run.ctx.log.info(f"{_share(run):.1%}  {text}")

    def finish(self, run: Run) -> None:
        """Write the final state."""
        if run.ctx.root:
            self._write(run, "stopped" if run.stop_reason else "done", time.monotonic())

    def _write(self, run: Run, status: str, now: float) -> None:
        from plexus.runtime.summary import write_progress

        # seconds per share of this process: a restart did the rest before
        share, done = _share(run), _share(run) - self._share
        left = (now - self._begin) * (1 - share) / done if done > 0 else None
        write_progress(run.ctx, step=run.clock.step, t=run.clock.t, share=share, left=left, status=status)


def _share(run: Run) -> float:
    """Return which part of the run is done, 0 to 1."""
    clock = run.clock
    if clock.end > clock.start:
        return (clock.t - clock.start) / (clock.end - clock.start)
    return float(clock.done)
