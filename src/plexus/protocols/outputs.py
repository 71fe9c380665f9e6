"""What a run asks of the numbers and files that a deck wants from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from plexus.run import Run
    from plexus.stepping.schedules import Schedule


class Quantity(Protocol):
    """A number computed from the fields of a run."""

    def prepare(self, run: Run) -> None:
        """Find what the quantity looks at, so that a mistake is told before the first solve. Collective."""

    def evaluate(self, run: Run) -> float:
        """Return the value at the present state. Collective."""

    def unit(self, run: Run) -> str:
        """Return its unit; empty where it is not known or there is none."""


class Observer(Protocol):
    """Looks at the states of a run when its schedule says so, and writes what it sees."""

    schedule: Schedule

    def start(self, run: Run) -> None:
        """Get ready for a run that begins, goes on after a restart, or went back. Collective."""

    def observe(self, run: Run) -> None:
        """Look at the present state. Collective."""

    def finish(self, run: Run) -> None:
        """Write what is left at the end of the run. Collective."""

    def state(self) -> dict[str, Any]:
        """Return the plain data that a restart needs."""

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
