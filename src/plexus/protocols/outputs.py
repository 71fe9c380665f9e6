"""What a run asks of the numbers and files that a deck wants from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

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


@runtime_checkable
class Sided(Protocol):
    """A quantity that knows what it needs of the facets on which it is asked for."""

    def sides(self, inner: Collection[str]) -> tuple[bool, bool]:
        """Return whether the two sides of facets differ for it, and whether only outer facets will do.

        ``inner`` are the names of fields that may differ between cells that meet.
        """


@runtime_checkable
class Placed(Protocol):
    """Parameters of a quantity or an output that looks at given positions."""

    def positions(self) -> Mapping[str, np.ndarray]:
        """Return the positions (k, d) [m], by the key below which they stand."""


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


@runtime_checkable
class Keeps(Protocol):
    """An observer that remembers rows of numbers at points, which checkpoints hold beside the state."""

    def rooms(self, run: Run) -> Mapping[str, Any]:
        """Return the spaces of the rows by names of its own. Collective."""

    def kept(self, run: Run) -> Mapping[str, np.ndarray]:
        """Return the rows (n_local, k), k >= 1, of each space. Collective."""

    def take(self, rows: Mapping[str, np.ndarray]) -> None:
        """Go on from what `kept` returned, after `restore`; ghosts are filled."""


@runtime_checkable
class Lasting(Protocol):
    """An output that knows lives at points."""

    name: str
    """That of the output in the deck."""

    def shortest(self, run: Run) -> tuple[float, np.ndarray]:
        """Return the shortest life [cycles] and its place (d,) [m]. Collective.

        The life is not a number before the first cycle has been seen, infinite where no cycle does harm.
        """
