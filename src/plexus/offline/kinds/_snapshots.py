"""Snapshots of a run at equally spaced times, which its steps hit."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from plexus.deck.schedules import ScheduleText
from plexus.errors import InputError
from plexus.observers.base import Scheduled

if TYPE_CHECKING:
    from plexus.protocols import Places
    from plexus.run import Run

Array = np.ndarray


class Sampled(Scheduled):
    """An output that keeps a field at places, or its own rows, at equally spaced times.

    Attributes
    ----------
    rows : one array per snapshot, (places, 1), or (own cells, 1) without places.
    times : their times [s].
    """

    def __init__(self, name: str, run: Run, count: int, xs: Array | None = None):
        every = (run.clock.end - run.clock.t) / count
        super().__init__(SimpleNamespace(every=ScheduleText("time", every)))
        self.name, self.xs, self.rows, self.times = name, xs, list[Array](), list[float]()
        self._places: Places | None = None

    def observe(self, run: Run) -> None:
        """Keep the present state where it is due. Collective."""
        if self.xs is None:
            found = run.fields.evaluate(self.name)[2]
        else:
            self._places = self._places or run.fields.locate(self.xs)
            found = run.fields.sample(self.name, self._places)[1]
        if found.shape[1] != 1:
            raise InputError(f"reduce: {self.name} has several components; name one of them")
        self.rows.append(found.copy())
        self.times.append(run.clock.t)


def hit(run: Run, count: int) -> Iterator[float]:
    """March a run without outputs and yield at equally spaced times after the start. Collective."""
    run.observers, start, end = [], run.clock.t, run.clock.end
    for t in np.linspace(start, end, count + 1)[1:]:
        for _ in run.march(float(t)):
            pass
        yield run.clock.t
