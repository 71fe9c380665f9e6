"""What guards tell of their counts: in histories, and at the end of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


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
