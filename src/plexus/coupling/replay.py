"""The memory of the whole body in a reduced run: the law marched at all quadrature points, when asked for."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from plexus.spaces.following import Reached, followed

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.coupling.wholebody import WholeBody
    from plexus.protocols import Instant

Array = np.ndarray
TOGETHER = 16
"""Steps whose displacements are held at a time."""


class Replay:
    """Marches the law at all quadrature points along the steps of a reduced run, as far as somebody asks."""

    def __init__(self, full: System, name: str, whole: WholeBody):
        self.full, self.name, self.whole = full, name, whole
        self.memory = full.begin()
        self.steps: dict[float, tuple[float, float, Array]] = {}
        self._ends: list[float] = []
        self.seen: tuple[float, Array] | None = None
        """Time and coordinates of the latest step."""

    def note(self, at: Instant, g: Array) -> None:
        """Remember an attempt; that which is accepted is the last of those that end at its time."""
        if at.t not in self.steps:
            insort(self._ends, at.t)
        self.steps[at.t] = (at.t - at.dt, at.dt, g)
        self.seen = at.t, g

    def restart(self, memory: Mapping[str, Array]) -> None:
        """Go on from a memory of the whole body."""
        self.memory = dict(memory)
        self._forget()

    def _forget(self) -> None:
        self.steps, self._ends = {}, []

    def at(self, t: float) -> dict[str, Array]:
        """Return the memory of the whole body at a time that a step has led to."""
        chain, key = [], self._near(t)
        while key is not None:
            begin, dt, g = self.steps[key]
            chain.append((key, dt, g))
            key = self._near(begin)
        chain.reverse()
        for first in range(0, len(chain), TOGETHER):
            some = chain[first : first + TOGETHER]
            ends, steps, numbers = zip(*some, strict=True)
            path = map(Reached, ends, steps, self.whole.along(numbers, TOGETHER))
            self.memory = followed(self.full.forms[self.name], path, self.memory)
        if chain:
            self._forget()
        return self.memory

    def _near(self, t: float) -> float | None:
        """Return the end of the step that led to a time; the clock's times are theirs up to rounding."""
        place = bisect(self._ends, t)
        near = self._ends[max(place - 1, 0) : place + 1]
        found = min(near, key=lambda s: abs(s - t), default=None)
        return found if found is not None and abs(found - t) <= 1e-6 * self.steps[found][1] else None

    def latest(self) -> tuple[float, Array]:
        """Return time and displacement of the latest step, to which the memory is brought."""
        assert self.seen is not None
        self.catch_up()
        return self.seen[0], self.whole.combined(self.seen[1])

    def catch_up(self) -> None:
        """Bring the memory to the latest step."""
        if self.steps:
            self.at(max(self.steps))
