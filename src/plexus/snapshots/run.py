"""The steps of the deck's own run, by the full model."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.deck.schedules import ScheduleText
from plexus.observers.base import Scheduled
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class RunParams(Params):
    """Parameters of `OwnRun`: none."""


@register("snapshots", "run", RunParams)
class OwnRun:
    """Every accepted step of the run."""

    def __init__(self, params: RunParams):
        self.params = params

    def march(self, run: Run, keep: Callable[[Run], None]) -> dict[str, Any]:
        """March the run and let ``keep`` look at each step. Collective."""
        run.observers.append(_Looking(keep))
        run.execute()
        return {"type": "run"}


class _Looking(Scheduled):
    """An output that calls a function at every step."""

    def __init__(self, keep: Callable[[Run], None]):
        super().__init__(SimpleNamespace(every=ScheduleText("steps", 1)))
        self.keep = keep

    def observe(self, run: Run) -> None:
        """Let the function look at the present state, but the first. Collective."""
        if run.clock.step > 0:
            self.keep(run)


EXAMPLE: dict[str, Any] = {}
