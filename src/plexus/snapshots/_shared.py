"""A file of results that the first rank reads for all: in pieces, with its errors on every rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np

from plexus.runtime.first import on_first

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
CHUNK = 100_000
"""Rows that are sent at once."""


class Results(Protocol):
    """An open file of results."""

    times: list[float]
    """Times of the snapshots [s], rising."""
    count: int
    """Number of nodes."""
    digits: int
    """Decimal digits of the numbers."""

    def points(self, start: int, stop: int) -> Array:
        """Return the positions of some nodes, (k, 3)."""

    def values(self, step: int, start: int, stop: int) -> Array:
        """Return the displacements of some nodes at a snapshot, (k, 3)."""


class Shared:
    """Results on all ranks, of which only the first has the file. Construction is collective.

    Parameters
    ----------
    comm : Comm
        The ranks.
    opened : callable
        Opens the file; called on the first rank.

    Raises
    ------
    InputError
        On all ranks, if it cannot be read.
    """

    def __init__(self, comm: Comm, opened: Callable[[], Results]):
        self.comm = comm
        self._results: list[Results] = []

        def look() -> tuple[list[float], int, int]:
            self._results.append(opened())
            found = self._results[0]
            return list(found.times), found.count, found.digits

        self.times, self.count, self.digits = on_first(comm, look)

    def points(self) -> Iterator[tuple[int, Array]]:
        """Yield first row and positions (k, 3) of all nodes, piece by piece. Collective."""
        return self._pieces(lambda a, b: self._results[0].points(a, b))

    def values(self, step: int) -> Iterator[tuple[int, Array]]:
        """Yield first row and displacements (k, 3) of all nodes at a snapshot, piece by piece. Collective."""
        return self._pieces(lambda a, b: self._results[0].values(step, a, b))

    def _pieces(self, rows: Callable[[int, int], Array]) -> Iterator[tuple[int, Array]]:
        for start in range(0, self.count, CHUNK):
            stop = min(start + CHUNK, self.count)
            yield start, on_first(self.comm, lambda a=start, b=stop: np.asarray(rows(a, b), dtype=float))  # type: ignore[misc]
