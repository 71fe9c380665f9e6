"""What guards tell of their counts: in histories, and at the end of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


class Account(ABC):
    """Counts of a guard, ``mean_outside`` among them.

    Attributes
    ----------
    params
        Policy and limits, `max_fraction` among them.
    beyond : sequence of str
        What of the model lies outside of the training.
    """

    params: Any
    beyond: Sequence[str]

    @abstractmethod
    def counts(self) -> dict[str, float]:
        """Return the counts. Collective."""

    def report(self) -> dict[str, float]:
        """Return the counts and the number of constants outside of the training. Collective."""
        return {**self.counts(), "constants_outside": float(len(self.beyond))}

    def summary(self) -> dict[str, Any]:
        """Return the entry of ``summary.json``. Collective."""
        counts, limit = self.counts(), self.params.max_fraction
        holds = counts["mean_outside"] <= limit
        return {**counts, "max_fraction": limit, "holds": holds, "beyond_training": list(self.beyond)}


class Shares(Account):
    """Counts of a guard that judges one share per step, the same on all ranks.

    Parameters
    ----------
    params
        Policy and limits, `outside` and `max_fraction` among them.
    comm : Comm, optional
        Ranks that share what is judged; None for this process alone.
    name : str
        Name of the part.
    beyond : sequence of str
        What of the model lies outside of the training.
    """

    def __init__(self, params: Any, comm: Comm | None = None, name: str = "", beyond: Sequence[str] = ()):
        self.params, self.comm, self.name, self.beyond = params, comm, name, tuple(beyond)
        self.using_fallback = False
        self.steps, self.share, self._sum = 0, 0.0, 0.0

    @property
    def stops(self) -> bool:
        """Return whether a trip ends the run instead of switching to the fallback."""
        return bool(self.params.outside == "stop")

    def tick(self) -> None:
        """End a step."""
        self.steps, self._sum = self.steps + 1, self._sum + self.share

    def use_fallback(self) -> None:
        """From now on only the classical part answers."""
        self.using_fallback, self.share = True, 0.0

    @abstractmethod
    def details(self) -> dict[str, float]:
        """Return what a member counts beside shares."""

    def counts(self) -> dict[str, float]:
        """Return steps watched, the latest and the mean share outside, and details."""
        return {
            "steps": float(self.steps),
            "outside": self.share,
            "mean_outside": self._sum / max(self.steps, 1),
            **self.details(),
            "fallback": float(self.using_fallback),
        }

    def state(self) -> dict[str, Any]:
        """Return what a restart needs, plain numbers, the same on all ranks."""
        return {
            "using_fallback": self.using_fallback, "steps": self.steps, "share": self.share, "sum": self._sum
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, on any number of ranks."""
        self.using_fallback, self.steps = bool(state["using_fallback"]), int(state["steps"])
        self.share, self._sum = float(state["share"]), float(state["sum"])
