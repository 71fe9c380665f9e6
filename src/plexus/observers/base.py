"""What outputs share: a schedule that counts from the start time, and nothing to remember over a restart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from plexus.stepping.schedules import Never, make

if TYPE_CHECKING:
    from plexus.deck.schedules import ScheduleText
    from plexus.run import Run
    from plexus.stepping.schedules import Schedule


class _Timed(Protocol):
    @property
    def every(self) -> ScheduleText | None: ...


class Scheduled(ABC):
    """Base of outputs whose parameters have a schedule ``every`` (`plexus.protocols.Observer`)."""

    def __init__(self, params: _Timed):
        self._every = params.every
        self.schedule = self._counted()

    def start(self, run: Run) -> None:
        """Count intervals from the start time."""
        self.schedule = self._counted(run.clock.start)

    def _counted(self, start: float = 0.0) -> Schedule:
        return Never() if self._every is None else make(self._every, start)

    @abstractmethod
    def observe(self, run: Run) -> None:
        """Look at the present state. Collective."""

    def finish(self, run: Run) -> None:
        """Leave everything as the last state left it."""
        return

    def state(self) -> dict[str, Any]:
        """Return nothing: what is written stands in the files."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Accept the empty state."""
        return


class History(Scheduled):
    """Base of outputs that add rows to the histories of the run."""

    def finish(self, run: Run) -> None:
        """Write what is left."""
        if run.ctx.root:
            run.series.flush(force=True)
