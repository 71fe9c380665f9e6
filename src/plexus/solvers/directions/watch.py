"""What watches a network of directions: answers in whose place the residual was taken, and why."""

from __future__ import annotations

from plexus.solvers.multigrid import guarded

LIMITS = guarded.Limits(max_fraction=0.5)
"""The better of answer and residual is taken in turn; a network that loses more often than not is no use."""


class Watch(guarded.Watch):
    """Counts of one network, by applications."""

    name, unit, enough = "Directions", "applications", 10

    def __init__(self) -> None:
        super().__init__()
        self.params = LIMITS
