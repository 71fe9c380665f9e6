"""What watches a network of directions: answers in whose place the residual was taken, and why."""

from __future__ import annotations

from plexus.solvers.multigrid import guarded


class Watch(guarded.Watch):
    """Counts of one network, by applications."""

    name, unit, enough = "Directions", "applications", 10
