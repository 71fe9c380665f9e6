"""What watches a learned multigrid: solves in which the cycle without learning had to take over, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from plexus.learned.account import Account

ENOUGH = 3
"""Solves in a row in which the learned cycle failed, after which it is asked no more."""
LONG, SLOW = 10, 0.9
"""Applications after which the residual must have come below this share of what it was."""


class Limits(NamedTuple):
    """The share of solves that may be answered without learning."""

    max_fraction: float = 0.01


class Watch(Account):
    """Counts of one learned multigrid (`plexus.protocols.Guarded`), the same on all ranks.

    Attributes
    ----------
    beyond : list of str
        What of the matrices lies outside of the training, in words.
    reasons : dict
        Why the learned cycle was left -> how often.
    """

    name, unit, enough = "LearnedMultigrid", "solves", ENOUGH
    stops = False

    def __init__(self) -> None:
        self.params, self.beyond = Limits(), []
        self.using_fallback = False
        self.reasons: dict[str, int] = {}
        self.steps = self.solves = self.left = self._row = 0
        self._latest = [0, 0]
        self.share = 0.0

    def begin(self) -> None:
        """Start a solve."""
        self.solves += 1
        self._latest[0] += 1

    def leave(self, reason: str) -> None:
        """Note that the learned cycle is left for the rest of a solve."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        self.left, self._row = self.left + 1, self._row + 1
        self._latest[1] += 1

    def well(self) -> None:
        """Note that a solve went through with the learned cycle."""
        self._row = 0

    @property
    def tired(self) -> bool:
        """Return whether it has failed too often in a row to be asked again."""
        return self.using_fallback or self._row >= self.enough

    @property
    def suspect(self) -> bool:
        """Return whether a solve of the latest step was left."""
        return self._latest[1] > 0

    def tick(self) -> None:
        """End a step."""
        self.steps += 1
        self.share = self._latest[1] / max(self._latest[0], 1)
        self._latest = [0, 0]

    def look(self, step: int) -> str | None:
        """Return why the learned cycle must not go on, None while all is well."""
        if not self.tired or self.using_fallback:
            return None
        return "; ".join(f"{reason} in {count} {self.unit}" for reason, count in self.reasons.items())

    def use_fallback(self) -> None:
        """From now on only the cycle without learning answers."""
        self.using_fallback, self.share = True, 0.0

    def counts(self) -> dict[str, float]:
        """Return steps, latest and mean share of solves that were left, and solves."""
        return {
            "steps": float(self.steps), "outside": self.share,
            "mean_outside": self.left / max(self.solves, 1), self.unit: float(self.solves),
            "fallback": float(self.using_fallback),
        }  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """Return the entry of ``summary.json``, with what the share is one of. Collective."""
        return super().summary() | {"what": f"of the {self.unit} fell back on the cycle without it"}

    def state(self) -> dict[str, Any]:
        """Return what a restart needs, plain numbers."""
        return {"using_fallback": self.using_fallback, "steps": self.steps, "solves": self.solves,
                "left": self.left, "row": self._row, "reasons": dict(self.reasons)}  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.using_fallback, self.steps = bool(state["using_fallback"]), int(state["steps"])
        self.solves, self.left, self._row = (int(state[k]) for k in ("solves", "left", "row"))
        self.reasons = {str(k): int(v) for k, v in state["reasons"].items()}
