"""Cycles of a reduced run that the full model marches.

A body that ratchets drifts away from any basis of its first cycles: by strains that are small beside those of
the training, but whose volume change is elastic and adds up to stresses out of balance. What the full model
finds in later cycles completes the basis by that drift. It goes on much as it did, so that cycles whose
numbers grow by a factor do.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexus.protocols import Instant
    from plexus.stepping.turns import Turns


@dataclass(frozen=True)
class Refresh:
    """Which steps the full model takes.

    Attributes
    ----------
    cycles : collection of int
        Numbers of cycles, from 1.
    turns : Turns
        The cycles of the run.
    """

    cycles: Collection[int]
    turns: Turns

    def due(self, at: Instant) -> bool:
        """Return whether the step that ends at an instant belongs to one of the cycles."""
        return self.turns.at(at.t)[0] in self.cycles
